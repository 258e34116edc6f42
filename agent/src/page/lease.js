// Takes and releases base and head on a person's word, and renews what was taken while the page is looked at.
// Never takes by itself, and never takes again what was lost.

import { call } from './api.js';
import { drive, on } from './drive.js';
import { newestSeen, onState, robot } from './state.js';

const TTL_MS = 3000;
const RENEW_MS = 1000;

const taken = { base: null, head: null }; // lease ids that a person took here
let implicit = null; // the lease that driving brought

/** Who holds `resource`: free, mine, theirs. */
export function holding(resource) {
  const lease = robot.state?.control?.[resource];
  if (!lease) return 'free';
  const driven = resource === 'base' && (drive.phase === 'driving' || lease.lease === implicit);
  return driven || lease.lease === taken[resource] ? 'mine' : 'theirs';
}

/** Takes `resource`, and so opens it. Answers as `call` does. */
export async function take(resource) {
  const answer = await call('POST', 'leases', { resource, take_over: true, ttl_ms: TTL_MS, seen: newestSeen() });
  if (answer.ok) taken[resource] = answer.body.id;
  return answer;
}

export async function release(resource) {
  const id = robot.state?.control?.[resource]?.lease ?? taken[resource];
  taken[resource] = null;
  if (resource === 'base') implicit = null;
  return id ? call('DELETE', `leases/${id}`) : { ok: true };
}

async function renew() {
  if (document.hidden || robot.contact !== 'live') return;
  for (const resource of ['base', 'head']) {
    const id = taken[resource];
    if (!id) continue;
    const answer = await call('PUT', `leases/${id}`, {}, { timeoutMs: RENEW_MS });
    if (answer.status === 410 && taken[resource] === id) taken[resource] = null;
  }
}

// Frames do not say which lease they use. While they are accepted, the base's lease is ours.
onState((state) => {
  if (drive.phase === 'driving') implicit = state?.control.base?.lease ?? implicit;
});
on('change', () => {
  if (drive.phase === 'barred') implicit = null;
});

setInterval(renew, RENEW_MS);
