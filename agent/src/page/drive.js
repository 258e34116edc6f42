// Turns what is held (pad, keys, gamepad) into frames at 20 Hz. When anything is wrong it ends its motion:
// one zero, then silence. It never presses stop (that would close the base for others), never sends on old news,
// never saves frames up, and never goes on after a pause until everything was let go.

import { newestSeen, robot, seenAge } from './state.js';
import * as teleop from './teleop.js';

const PERIOD_MS = 50;
const STALE_MS = 300;
const PAUSE_MS = 500;
const OPEN_MS = 1500;
/** Refusals that pass by themselves; any other means that holding on is no use. */
const PASSING = new Set(['stale', 'not-rising', 'rate-limited']);

/** phase: idle, opening, driving, waiting (old news), barred (must let go first). away: another view is shown, nothing drives. */
export const drive = { phase: 'idle', share: 0.5, away: false };

const held = new Map(); // name -> {forward, left}, each -1..1
const listeners = { change: new Set(), halt: new Set(), hint: new Set() };
let timer = 0;
let begunAt = 0;
let sentAt = -Infinity;
let neutral = true; // the next frame must be a zero
let firstSeq = 0;

/** on('change' | 'halt' | 'hint', f): phase changed; everything held was dropped; something to tell. */
export const on = (name, listener) => listeners[name].add(listener);
const tell = (name, value) => listeners[name].forEach((listener) => listener(value));

function setPhase(phase) {
  if (drive.phase === phase) return;
  drive.phase = phase;
  tell('change');
}

/** Highest speeds this page asks for: a share of what the robot allows now. */
export function limits() {
  const envelope = robot.state?.envelope;
  // Cut, not rounded: a number above the hard limit would be refused.
  const cut = (value) => Math.floor((value ?? 0) * drive.share * 1000) / 1000;
  return { linear: cut(envelope?.linear_mps), angular: cut(envelope?.angular_radps) };
}

function wanted() {
  const sum = { forward: 0, left: 0 };
  for (const { forward, left } of held.values()) {
    sum.forward += forward;
    sum.left += left;
  }
  const clamp = (value) => Math.max(-1, Math.min(1, value));
  const { linear, angular } = limits();
  return [clamp(sum.forward) * linear, clamp(sum.left) * angular];
}

/** `name` is held at this deflection. The first hold opens the socket and begins with a zero. */
export function hold(name, forward, left, { atOnce = false } = {}) {
  if (drive.away) return;
  const first = held.size === 0;
  held.set(name, { forward, left });
  if (first) begin();
  else if (atOnce) tick();
}

/** `name` was let go. When nothing is held any more: one zero, then silence. */
export function letGo(name) {
  if (!held.delete(name)) return;
  if (held.size === 0) end();
  else tick();
}

/** Drops everything that is held, whoever holds it: hidden tab, lost focus. A stop that was sent needs no zero behind it. */
export function dropAll({ zero = true }) {
  held.clear();
  neutral ||= !zero;
  tell('halt');
  end();
}

function begin() {
  begunAt = performance.now();
  neutral = true;
  firstSeq = teleop.isOpen() ? teleop.newestSeq() + 1 : 1;
  setPhase('opening');
  timer = setInterval(tick, PERIOD_MS);
  teleop.open(tick);
  tick();
}

function end() {
  if (drive.phase === 'idle') return;
  clearInterval(timer);
  if (!neutral && drive.phase !== 'barred' && seenAge() <= STALE_MS) teleop.send(0, 0);
  neutral = true;
  setPhase('idle');
}

function bar(hint) {
  neutral = true;
  setPhase('barred');
  tell('hint', hint);
}

function tick() {
  if (held.size === 0 || drive.phase === 'barred') return;
  const now = performance.now();
  if (!teleop.isOpen() || !newestSeen() || seenAge() > STALE_MS || teleop.backlog() > 0) {
    if (!neutral && now - sentAt > PAUSE_MS) return bar('The connection paused. Let go, then press again.');
    if (neutral && now - begunAt > OPEN_MS) return bar('The robot does not answer. Let go, then try again.');
    return setPhase(neutral ? 'opening' : 'waiting');
  }
  if (neutral) teleop.send(0, 0);
  neutral = false;
  teleop.send(...wanted());
  sentAt = now;
  setPhase('driving');
}

teleop.events.onRefused = (refusal) => {
  if (refusal.seq < firstSeq) return;
  if (held.size === 0 || drive.phase === 'barred') return;
  if (PASSING.has(refusal.type)) return tell('hint', refusal.detail);
  bar(refusal.detail);
};

teleop.events.onClosed = (why) => {
  const hint = why === 'replaced'
    ? 'Another page with your token took the stick. Touch the pad to drive from here.'
    : 'The driving connection ended, and the motion with it. Let go, then press again.';
  if (held.size > 0) bar(hint);
  else if (why === 'replaced') tell('hint', hint);
};

document.addEventListener('visibilitychange', (event) => document.hidden && dropAll(event));
addEventListener('blur', dropAll);
addEventListener('pagehide', dropAll);
