// What the robot said last, and how old that is. Never guesses a state, never calls old news fresh:
// bytes that waited on the way are recognised by the robot's own stamps, not only by when they came.

import { call, socketUrl } from './api.js';

const SILENT_MS = 2000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 4000;
/** Clocks of two machines drift; the smallest delay ever seen may grow by this share. */
const DRIFT = 0.0005;

/** contact: connecting, live, lost, denied. */
export const robot = { state: null, contact: 'connecting' };

const listeners = new Set();
let seen = null; // newest stamp {run, mono_ms}
let seenAt = -Infinity;
let shownMs = -Infinity; // mono_ms of the shown state
let shownAt = -Infinity;
let delay = Infinity; // smallest (arrival - mono_ms): both clocks and the fastest way
let delayAt = 0;
let socket = null;
let heardAt = 0;
let tries = 0;
let retryTimer = 0;

/** Calls `listener(state)` for each new state, and when contact is lost or found. */
export const onState = (listener) => listeners.add(listener);
const tell = () => listeners.forEach((listener) => listener(robot.state));

/** Newest stamp, for the robot to judge how fresh a command's sender is. */
export const newestSeen = () => seen;

const ageOf = (monoMs, at) => {
  const now = performance.now();
  return Math.max(now - at, now - delay - monoMs);
};
/** Age of the newest stamp in ms. */
export const seenAge = () => (seen ? ageOf(seen.mono_ms, seenAt) : Infinity);
/** Age of the state on the screen in ms. */
export const shownAge = () => (robot.state ? ageOf(shownMs, shownAt) : Infinity);

/** Takes a stamp from any socket. Another run makes everything older worthless. */
export function acceptSeen(stamp) {
  if (!stamp || typeof stamp.mono_ms !== 'number') return;
  const now = performance.now();
  if (seen?.run !== stamp.run) {
    delay = Infinity;
    shownMs = -Infinity;
  } else if (stamp.mono_ms <= seen.mono_ms) return;
  delay = Math.min(delay + (now - delayAt) * DRIFT, now - stamp.mono_ms);
  delayAt = now;
  seen = stamp;
  seenAt = now;
}

/** Takes a state from any socket; an older one than the one shown is dropped. */
export function acceptState(state) {
  if (!state?.seen) return;
  acceptSeen(state.seen);
  if (state.seen.run !== seen.run || state.seen.mono_ms <= shownMs) return;
  shownMs = state.seen.mono_ms;
  shownAt = performance.now();
  robot.state = state;
  robot.contact = 'live';
  tell();
}

function setContact(contact) {
  if (robot.contact === contact) return;
  robot.contact = contact;
  tell();
}

async function retry() {
  if (robot.contact !== 'connecting') setContact('lost');
  const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** tries++) * (0.75 + Math.random() / 2);
  // A refused WebSocket does not say why; a plain read does.
  const answer = await call('GET', 'state', undefined, { timeoutMs: 2000 });
  if (answer.status === 401) return setContact('denied');
  if (answer.status === 0) setContact('lost');
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, wait);
}

/** Opens the stream; from then on it looks after itself. */
export function connect() {
  clearTimeout(retryTimer);
  drop();
  heardAt = performance.now();
  socket = new WebSocket(socketUrl('stream?hz=10'));
  socket.onmessage = ({ data }) => {
    heardAt = performance.now();
    tries = 0;
    const message = JSON.parse(data);
    acceptState(message.state ?? message);
  };
  socket.onclose = () => {
    socket = null;
    retry();
  };
}

function drop() {
  if (!socket) return;
  socket.onclose = socket.onmessage = null;
  socket.close();
  socket = null;
}

/** A dead connection closes after minutes; silence tells it sooner. */
function checkSilence() {
  if (document.hidden || !socket || performance.now() - heardAt < SILENT_MS) return;
  drop();
  retry();
}

setInterval(checkSilence, 500);
addEventListener('online', () => robot.contact !== 'denied' && connect());
addEventListener('pagehide', drop);
addEventListener('pageshow', (event) => event.persisted && connect());
