// Calls the assistant's routes with the page's cookie. Never retries and never throws: what went wrong is in the answer.
// Every answer is {ok, status, body, type, detail, etag, next}; `next` is where the next page of a list begins.

import { call, problemName } from './api.js';

const TIMEOUT_MS = 8000;

/** Query of a path: what is empty is left out. */
export const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length ? `?${new URLSearchParams(given)}` : '';
};

/** One call below `/api/`. `ifMatch` makes a write conditional on a version. */
export async function ask(method, path, { body, ifMatch } = {}) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  if (ifMatch) headers['if-match'] = ifMatch;
  try {
    const response = await fetch(`/api/${path}`, {
      method, headers, cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.json().catch(() => null);
    // The page's own call asks for the token again.
    if (response.status === 401) call('GET', 'state');
    return {
      ok: response.ok, status: response.status, body: answer,
      etag: response.headers.get('etag'), next: response.headers.get('x-next-cursor'),
      type: response.ok ? null : problemName(answer?.type),
      detail: response.ok ? null : answer?.detail ?? `The robot answered ${response.status}.`,
    };
  } catch {
    return { ok: false, status: 0, body: null, etag: null, next: null, type: 'no-contact', detail: 'The robot does not answer. Nothing was lost; try again.' };
  }
}

/** A random UUID. Drawn here, so that a write that is tried again names the same row (`randomUUID` needs TLS). */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const readers = new Set();
let mayWrite = true;

/** Calls `listener` once it is known that this token may only read. */
export function onReadOnly(listener) {
  readers.add(listener);
  if (!mayWrite) listener();
}

/** One write. A refusal for want of a right is remembered, so that nobody is offered what would be refused again. */
export async function write(method, path, options) {
  const answer = await ask(method, path, options);
  if (answer.status === 403 && answer.body?.scope) {
    mayWrite = false;
    readers.forEach((listener) => listener());
  }
  return answer;
}

/** A change that changes nothing: whoever may not write is told before typing. */
export const probe = () => write('POST', 'mood/update', { body: {} });
