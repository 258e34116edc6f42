// What matters now, as the robot ranks it, each with the reason. Asking changes nothing.

import { ask, query } from './ask.js';
import { noteHead } from './memory-note.js';
import { atMost, card, make, statusLine, words } from './parts.js';

const NOTES = 5;
const REREAD_MS = 2000;

export function createNow() {
  const status = statusLine();
  const list = make('ul', { className: 'surfaced' });
  const node = card('What matters now', null, list, status.node);

  const row = (note) => make('li', {}, make('p', { className: 'reason', dir: 'auto' }, note.reason), words(note.content), noteHead(note));

  const reread = atMost(async () => {
    if (!list.firstChild) status.show('Asking…');
    const answer = await ask('GET', `sticky-notes/surface${query({ limit: NOTES })}`);
    if (!answer.ok) return status.show(`This could not be read: ${answer.detail}`, { bad: true, retry: reread });
    list.replaceChildren(...answer.body.map(row));
    status.show(answer.body.length ? '' : 'Nothing needs attention now.');
  }, REREAD_MS);

  return { node, reread };
}
