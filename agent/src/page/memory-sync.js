// How the memory stands with the cloud, and edits of which one lost: both are shown, and a person chooses. Nothing is chosen
// by itself.

import { ask, write } from './ask.js';
import { atMost, button, card, make, statusLine, when, words } from './parts.js';

const REREAD_MS = 2000;
const LOOK_MS = 5000;

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

/** One sentence about where both sides stand. */
function sentence({ cloud, connected, pending, fault }) {
  if (!cloud) return 'This robot belongs to no cloud: its memory is here alone. `robbie-agent pair` changes that.';
  if (fault) return fault;
  if (!connected) return pending ? `The cloud is away; ${count(pending, 'change waits', 'changes wait')} here.` : 'The cloud is away; nothing waits.';
  return pending ? `${count(pending, 'change is', 'changes are')} on the way.` : 'Robot and cloud have the same.';
}

export function createSync() {
  const status = statusLine();
  const since = make('p', { className: 'soft' });
  const list = make('ul', { className: 'surfaced' });
  const node = card('In step with the cloud', null, status.node, since, list);

  async function choose(conflict, keep) {
    const answer = await write('POST', `sync/conflicts/${conflict.id}/resolve`, { body: { keep } });
    if (!answer.ok && answer.status !== 404) return status.show(`This could not be chosen: ${answer.detail}`, { bad: true });
    reread();
  }

  const version = (title, text, author, at, choice) => make('div', {},
    make('p', { className: 'meta' }, make('b', {}, title), make('bdi', { className: 'author' }, author), at && when(at)),
    text === null ? make('p', { className: 'soft' }, 'deleted') : words(text), choice);

  const row = (conflict) => make('li', {},
    make('p', { className: 'reason' }, `Two versions of ${conflict.table === 'notes' ? 'a note' : 'a row'}: ${conflict.field}`),
    version('Now', conflict.current, conflict.authors.current, conflict.times.current, button('Keep this', () => choose(conflict, 'current'), 'small')),
    version('Other', conflict.other, conflict.authors.other, conflict.times.other, button('Use the other', () => choose(conflict, 'other'), 'small')));

  const reread = atMost(async () => {
    const [now, open] = await Promise.all([ask('GET', 'sync/status'), ask('GET', 'sync/conflicts')]);
    if (!now.ok || !open.ok) return status.show(`This could not be read: ${(now.ok ? open : now).detail}`, { bad: true, retry: reread });
    status.show(sentence(now.body), { bad: Boolean(now.body.fault) });
    since.replaceChildren(...(now.body.last_converged_at ? ['The same on both sides: ', when(now.body.last_converged_at)] : []));
    list.replaceChildren(...open.body.map(row));
  }, REREAD_MS);

  setInterval(() => node.checkVisibility?.() !== false && reread(), LOOK_MS);
  return { node, reread };
}
