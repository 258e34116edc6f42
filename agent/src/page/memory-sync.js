// How the memory stands with the cloud, and edits of which one lost: both are shown, and a person chooses. Nothing is chosen
// by itself, and what a person is about to press stays where it is.

import { ask, write } from './ask.js';
import { atMost, button, card, make, statusLine, when, words } from './parts.js';

const REREAD_MS = 2000;
const LOOK_MS = 5000;
/** Characters of a version that name its button. */
const START = 40;

const OF = { notes: 'a note', facts: 'a fact', turns: 'what was said' };
const WHY = {
  concurrent: 'Both sides changed it while they did not hear each other.',
  deleted: 'One side deleted it, the other one changed it.',
  gone: 'It was not there any more when this change came.',
  invalid: 'The other version cannot stand as it is.',
};

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

/** One sentence about where both sides stand. */
function sentence({ cloud, connected, pending, fault, last_converged_at: converged }) {
  if (!cloud) return 'This robot belongs to no cloud: its memory is here alone. `robbie-agent pair CODE --cloud URL` changes that.';
  const waits = pending ? `${count(pending, 'change waits', 'changes wait')} here.` : 'Nothing waits.';
  if (fault) return `${fault.replace(/\.?$/, '.')} ${waits}`;
  if (!connected) return `The cloud is away. ${waits}`;
  if (pending) return `${count(pending, 'change is', 'changes are')} on the way.`;
  return converged ? 'Robot and cloud have the same.' : 'Robot and cloud are being brought in step.';
}

/** Since when, as far as there is something. */
function since({ oldest_pending_age_ms: age, last_converged_at: converged }) {
  const waits = Number.isFinite(age) && ['The oldest change that waits is from ', when(new Date(Date.now() - age).toISOString()), '. '];
  return [...(waits || []), ...(converged ? ['The same on both sides: ', when(converged), '.'] : [])];
}

/** A value of a field as people read it. */
function text(field, value) {
  if (field === 'valid_to') return value === null ? 'without an end' : new Date(value).toLocaleString();
  if (Array.isArray(value)) return value.join(', ') || 'no tags';
  return value === null ? 'deleted' : String(value);
}

/** One of both versions; `choose()` keeps it. */
function createVersion(title, press, choose) {
  const content = make('div');
  const keep = button(press, choose, 'small');
  return {
    node: make('div', { className: 'version' }, content, make('div', { className: 'row edits' }, keep)),
    show(field, value, author, at) {
      const shown = text(field, value);
      // Who deleted it, and when, is not known for sure.
      const by = value !== null && make('p', { className: 'meta' }, make('bdi', { className: 'author' }, author === '(cloud)' ? 'the cloud' : author), when(at));
      content.replaceChildren(...[make('h3', {}, title), words(shown), by].filter(Boolean));
      keep.ariaLabel = `${press}: ${[...shown.slice(0, START)].join('')}`;
    },
  };
}

/** Two versions of a field; `choose(keep)` when a person has decided. */
function createConflict(choose) {
  const what = make('p', { className: 'reason' });
  const why = make('p', { className: 'soft' });
  const note = make('div'); // the note that it is about, where the versions do not show its words
  const current = createVersion('As it is now', 'Keep this', () => choose('current'));
  const other = createVersion('The other version', 'Use the other', () => choose('other'));
  // Not on a button: Enter may still be held when the focus comes here.
  const node = make('li', { tabIndex: -1 }, what, why, note, make('div', { className: 'versions' }, current.node, other.node));
  let shown = null;
  return {
    node,
    async show(conflict) {
      if (shown === JSON.stringify(conflict)) return;
      shown = JSON.stringify(conflict);
      const { table, row, field, kind, authors, times } = conflict;
      what.replaceChildren(`Two versions of ${OF[table] ?? 'a row'}: ${field}`);
      why.replaceChildren(WHY[kind] ?? '');
      current.show(field, conflict.current, authors.current, times.current);
      other.show(field, conflict.other, authors.other, times.other);
      if (table !== 'notes' || field === 'content') return;
      const answer = await ask('GET', `sticky-notes/${row}`);
      if (answer.ok) note.replaceChildren(words(answer.body.content));
    },
  };
}

export function createSync() {
  const status = statusLine();
  const said = statusLine();
  const sinceWhen = make('p', { className: 'soft' });
  const list = make('ul', { className: 'surfaced' });
  const rows = new Map(); // id -> conflict
  const node = card('In step with the cloud', null, status.node, sinceWhen, said.node, list);
  node.tabIndex = -1;

  function drop(id) {
    const row = rows.get(id)?.node;
    if (!row) return;
    const hadFocus = row.contains(document.activeElement);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    rows.delete(id);
    // A key pressed next must not land on the page.
    if (hadFocus) (neighbour ?? node).focus();
  }

  async function choose(id, keep) {
    const answer = await write('POST', `sync/conflicts/${id}/resolve`, { body: { keep } });
    if (!answer.ok && answer.status !== 404) return said.show(`This could not be chosen: ${answer.detail}`, { bad: true });
    said.show(answer.ok ? 'Chosen, for both sides.' : 'Somebody has chosen already.');
    drop(id);
    reread();
  }

  function showConflicts(open) {
    const ids = new Set(open.map(({ id }) => id));
    for (const id of [...rows.keys()]) if (!ids.has(id)) drop(id);
    open.forEach((conflict, index) => {
      const { id } = conflict;
      const row = rows.get(id) ?? createConflict((keep) => choose(id, keep));
      // One that is there stays where it is: a moved button loses the focus.
      if (!rows.has(id)) list.insertBefore(row.node, list.children[index] ?? null);
      rows.set(id, row);
      row.show(conflict);
    });
  }

  const reread = atMost(async () => {
    const [now, open] = await Promise.all([ask('GET', 'sync/status'), ask('GET', 'sync/conflicts')]);
    if (!now.ok || !open.ok) return status.show(`This could not be read: ${(now.ok ? open : now).detail}`, { bad: true, retry: reread });
    status.show(sentence(now.body), { bad: Boolean(now.body.fault) });
    sinceWhen.replaceChildren(...since(now.body));
    showConflicts(open.body);
  }, REREAD_MS);

  setInterval(() => node.checkVisibility?.() !== false && reread(), LOOK_MS);
  return { node, reread };
}
