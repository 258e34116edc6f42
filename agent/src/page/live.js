// Hears over `/ws/chat` what changed elsewhere. After a break it goes on from the last id it heard; where the robot answers
// `reset` (too long ago, or the first time), everything is read afresh. By itself it sends nothing but its subscription.

import { onState, robot } from './state.js';

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 8000;
/** An id that no robot has given yet: it answers with a `reset`, which tells the newest one. */
const NEVER = Number.MAX_SAFE_INTEGER;

const address = () => `${location.origin.replace('http', 'ws')}/ws/chat`;

/**
 * `hear(type, data, key)` for each event of `kinds` and of a chat (those have a key), `reread()` when the state must be read,
 * `tell(live)` when that changes.
 */
export function createLive({ kinds, hear, reread, tell }) {
  let socket = null;
  let wanted = false;
  let after = NEVER; // newest id that was heard
  let tries = 0;
  let timer = 0;
  let lost = false;

  function take({ id, type, data, key }) {
    if (typeof id === 'number') after = id;
    if (key) hear(type, data, key);
    else if (type === 'reset') reread();
    // The robot has forgotten the subscription: ask again.
    else if (type === 'error') drop();
    else if (kinds.includes(type)) hear(type, data);
  }

  function close() {
    clearTimeout(timer);
    timer = 0;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = null;
  }

  function drop() {
    close();
    tell(false);
    if (!wanted || robot.contact === 'denied') return;
    const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** tries++) * (0.75 + Math.random() / 2);
    timer = setTimeout(open, wait);
  }

  function open() {
    close();
    socket = new WebSocket(address());
    socket.onopen = () => {
      socket.send(JSON.stringify({ subscribe: kinds, after }));
      tell(true);
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type !== 'error') tries = 0;
      take(message);
    };
    socket.onclose = drop;
  }

  // A dead connection closes after minutes; the state's stream notices it sooner.
  onState(() => {
    if (robot.contact === 'lost') lost = true;
    else if (robot.contact === 'live' && lost) {
      lost = false;
      if (wanted) open();
    }
  });

  return {
    start() {
      if (wanted) return;
      wanted = true;
      // At once: what is shown must not wait for a socket, and without one the lists say what is wrong.
      reread();
      open();
    },
    /** Says something, unless there is nobody to say it to. */
    send(message) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    stop() {
      wanted = false;
      close();
    },
  };
}
