// Calls the robot's routes with the page's cookie. Never retries and never throws: what went wrong is in the answer.
// Every answer is {ok, status, body, type, detail}; `type` is the last word of the problem's address.

const listeners = new Set();

/** Calls `listener` whenever a call was answered 401. */
export const onDenied = (listener) => listeners.add(listener);

/** Last word of a problem's type: "/problems/lease-held" -> "lease-held". */
export const problemName = (type) => String(type ?? 'error').split('/').pop();

/** Address of a WebSocket of this robot. */
export const socketUrl = (path) => `${location.origin.replace('http', 'ws')}/api/robot/${path}`;

/** One call. `keepalive` lets it finish although the page closes. */
export async function call(method, path, body, { keepalive = false, timeoutMs = 4000, token } = {}) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  try {
    const response = await fetch(`/api/robot/${path}`, {
      method, headers, keepalive, cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await response.json().catch(() => ({}));
    if (response.status === 401 && !token) listeners.forEach((listener) => listener());
    return {
      ok: response.ok, status: response.status, body: answer,
      type: response.ok ? null : problemName(answer.type),
      detail: response.ok ? null : answer.detail ?? answer.title ?? `The robot answered ${response.status}.`,
    };
  } catch {
    return { ok: false, status: 0, body: {}, type: 'no-contact', detail: 'The robot does not answer.' };
  }
}
