// The list of notes: filtered, page by page, written to, and kept up with what happens elsewhere. A note that somebody works
// on is never moved or taken away under the hands.

import { ask, newId, onReadOnly, query, write } from './ask.js';
import { noteForm } from './memory-form.js';
import { createNote } from './memory-note.js';
import { atMost, button, calmly, card, make, statusLine } from './parts.js';

const PAGE = 15;
const PAGE_MAX = 500;
const REREAD_MS = 400;
const TYPING_MS = 300;

export function createNotes() {
  const rows = new Map(); // id -> note
  let next = null;

  const list = make('ul', { className: 'notes' });
  const status = statusLine();
  const said = statusLine();
  const more = button('Load more', loadMore);
  more.hidden = true;
  const fresh = button('Write a note', () => openForm(), 'primary edits');
  const place = make('div');
  const filters = {
    text: filter('Words in it'), tag: filter('Tag'), author: filter('Author'),
  };
  const bar = make('form', { className: 'filters', onsubmit: (event) => event.preventDefault() }, ...Object.values(filters));
  const node = card('Notes', fresh, place, bar, said.node, list, status.node, more);
  onReadOnly(() => place.replaceChildren());

  function filter(label) {
    const changed = calmly(reread, TYPING_MS);
    return make('input', { type: 'search', placeholder: label, ariaLabel: `Filter: ${label.toLowerCase()}`, dir: 'auto', autocomplete: 'off', oninput: changed, onsearch: changed.now });
  }

  const filterValues = () => Object.fromEntries(Object.entries(filters).map(([name, field]) => [name, field.value.trim()]));

  const hooks = {
    pick(tag) {
      filters.tag.value = tag;
      filters.tag.focus();
      reread();
    },
    changed: () => reread(),
    gone(id) {
      const row = rows.get(id);
      const hadFocus = row?.node.contains(document.activeElement);
      const neighbour = row?.node.nextElementSibling ?? row?.node.previousElementSibling;
      drop(id);
      said.show('The note is gone.');
      if (hadFocus) (neighbour?.querySelector('.edits button') ?? fresh).focus();
      reread();
    },
    again(id, fields) {
      drop(id);
      openForm(fields);
    },
  };

  function drop(id) {
    rows.get(id)?.node.remove();
    rows.delete(id);
  }

  function rowOf(note) {
    const row = rows.get(note.id) ?? createNote(note, hooks);
    rows.set(note.id, row);
    row.update(note);
    return row;
  }

  /** Puts the rows into this order without moving the one that holds the focus: a moved field loses it. */
  function arrange(notes) {
    const wanted = notes.map(rowOf);
    const ids = new Set(notes.map(({ id }) => id));
    const kept = [...rows.values()].filter((row) => !ids.has(row.id) && (row.isWorkedOn() || row.node.contains(document.activeElement)));
    for (const row of [...rows.values()]) if (!ids.has(row.id) && !kept.includes(row)) drop(row.id);
    let after = null;
    for (const { node: row } of [...kept, ...wanted].reverse()) {
      const fixed = row.isConnected && row.contains(document.activeElement);
      if (!fixed && (row.nextSibling !== after || !row.isConnected)) list.insertBefore(row, after);
      after = row;
    }
  }

  function sayHowMany() {
    const isFiltered = Object.values(filterValues()).some(Boolean);
    if (rows.size === 0) status.show(isFiltered ? 'No note passes this filter.' : 'No notes yet. What you write here stays on the robot, without any network.');
    else status.show(`${rows.size} note${rows.size === 1 ? '' : 's'}${next ? ', and more' : isFiltered ? ' pass this filter' : ''}.`);
    more.hidden = !next;
  }

  async function read(cursor, limit) {
    const filter = query(filterValues());
    const answer = await ask('GET', `sticky-notes/${query({ ...filterValues(), limit, cursor })}`);
    // Somebody types on, which asks again.
    if (filter !== query(filterValues())) return null;
    if (answer.ok) return answer;
    status.show(`The notes could not be read: ${answer.detail}`, { bad: true, retry: () => reread() });
    return null;
  }

  const readAgain = atMost(async () => {
    if (rows.size === 0) status.show('Reading the notes…');
    const limit = Math.min(PAGE_MAX, Math.max(PAGE, rows.size));
    const answer = await read(null, limit);
    if (!answer) return;
    // More were loaded meanwhile: this answer would take them away again.
    if (rows.size > limit && limit < PAGE_MAX) return reread();
    ({ next } = answer);
    arrange(answer.body);
    sayHowMany();
  }, REREAD_MS);

  // Declared, so that what stands above may name it.
  function reread() {
    readAgain();
  }

  async function loadMore() {
    const answer = await read(next, PAGE);
    if (!answer) return;
    ({ next } = answer);
    // A row that came meanwhile is in the list already.
    list.append(...answer.body.filter(({ id }) => !rows.has(id)).map((note) => rowOf(note).node));
    const hadFocus = document.activeElement === more;
    sayHowMany();
    if (hadFocus && more.hidden) list.lastElementChild?.querySelector('.edits button')?.focus();
  }

  /** A new note; `fields` are those of one that was deleted under somebody's hands. */
  function openForm(fields = null) {
    let id = newId();
    let sent = null;
    const close = () => {
      place.replaceChildren();
      fresh.hidden = false;
      fresh.focus();
    };
    const form = noteForm(null, {
      cancel: close,
      async save(now) {
        // The same words under the same id are written once, however often they are sent.
        if (sent && sent !== JSON.stringify(now)) id = newId();
        sent = JSON.stringify(now);
        const answer = await write('POST', 'sticky-notes/', { body: { id, ...now } });
        if (!answer.ok) return answer.detail;
        close();
        said.show('Remembered.');
        reread();
        return null;
      },
    }, fields);
    fresh.hidden = true;
    place.replaceChildren(form.node);
    form.focus();
  }

  return {
    node,
    reread,
    /** Something happened to a note elsewhere, or here. */
    hear({ id, deleted, note }) {
      const row = rows.get(id);
      if (deleted && row?.leave()) {
        const hadFocus = row.node.contains(document.activeElement);
        drop(id);
        if (hadFocus) fresh.focus();
        sayHowMany();
      } else if (note && row) row.update(note);
      reread();
    },
  };
}
