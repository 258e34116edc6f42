// The driving socket: one frame in, refusals out. Opened by a person's touch, never by itself.

import { problemName, socketUrl } from './api.js';
import { acceptSeen, acceptState, newestSeen } from './state.js';

/** Bridges one lost and resent segment (200 ms, plus 100 ms of jitter, plus a period): with 250 the wheels stop at each. */
const TTL_MS = 500;
/** Close code of a socket whose token opened another one. */
const REPLACED = 4001;

/** Set by the driver: onRefused({seq, status, type, detail}), onClosed('replaced' | 'lost'). */
export const events = { onRefused() {}, onClosed() {} };

let socket = null;
let seq = 0;

export const isOpen = () => socket?.readyState === WebSocket.OPEN;
/** Bytes the network has not taken yet. */
export const backlog = () => socket?.bufferedAmount ?? 0;
export const newestSeq = () => seq;

export function open(whenOpen) {
  if (socket && socket.readyState <= WebSocket.OPEN) return;
  const mine = new WebSocket(socketUrl('teleop'));
  socket = mine;
  seq = 0;
  mine.onopen = whenOpen;
  mine.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.state) acceptState(message.state);
    if (message.seen) acceptSeen(message.seen);
    if (message.refused) events.onRefused({ ...message.refused, type: problemName(message.refused.type) });
  };
  mine.onclose = ({ code }) => {
    if (socket !== mine) return;
    socket = null;
    events.onClosed(code === REPLACED ? 'replaced' : 'lost');
  };
}

/** One frame. The robot ends it after its time to live; nothing here prolongs it. */
export function send(linear_mps, angular_radps) {
  if (!isOpen()) return;
  seq += 1;
  socket.send(JSON.stringify({ seq, linear_mps, angular_radps, ttl_ms: TTL_MS, seen: newestSeen() }));
}

/** Stop or e-stop beside the POST, because this socket may be the faster way. */
export function shout(message) {
  if (isOpen()) socket.send(JSON.stringify(message));
}

addEventListener('pagehide', () => socket?.close());
