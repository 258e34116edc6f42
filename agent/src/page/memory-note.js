// One note of the list: shown, edited in place, in conflict, or about to be deleted. What a person types stays until that
// person decides, whatever happens to the note elsewhere.

import { ask, write } from './ask.js';
import { noteForm } from './memory-form.js';
import { button, make, statusLine, when, words } from './parts.js';

const pathOf = (id) => `sticky-notes/${encodeURIComponent(id)}`;

/** Tags, author, age: what stands above a note's words. `pick` makes the tags buttons that filter. */
export function noteHead(note, pick) {
  const tags = note.tags.map((tag) => (pick
    ? make('button', { type: 'button', className: 'tag', dir: 'auto', title: 'Show notes with this tag', onclick: () => pick(tag) }, tag)
    : make('span', { className: 'tag', dir: 'auto' }, tag)));
  const priority = make('b', { className: 'priority', title: 'Priority, 0 to 100' }, make('span', { className: 'unseen' }, 'Priority '), String(note.priority));
  const author = make('bdi', { className: 'author' }, note.created_by);
  return make('p', { className: 'meta' }, priority, ...tags, author, when(note.created_at), note.surfaced && make('span', { className: 'soft' }, 'brought up by Robbie'));
}

/** Both versions side by side. */
function versions(theirs, mine) {
  const one = (title, { content, tags, priority }) => make('div', { className: 'version' },
    make('h3', {}, title), words(content), make('p', { className: 'soft', dir: 'auto' }, `Priority ${priority}${tags.length ? ` · ${tags.join(', ')}` : ''}`));
  return make('div', { className: 'versions' }, one('As it is now', theirs), one('Yours', mine));
}

/** `hooks`: pick(tag), changed(), gone(id), again(id, fields). */
export function createNote(first, hooks) {
  let note = first;
  let mode = 'show'; // show, edit, conflict, delete
  let etag = null;
  let form = null;
  let deleted = false; // elsewhere, while it is worked on
  const said = statusLine();
  const body = make('div');
  const extra = make('div');
  const edit = button('Edit', startEdit, 'small');
  const remove = button('Delete', startDelete, 'small');
  const actions = make('div', { className: 'row edits' }, edit, remove);
  const node = make('li', { className: 'note' }, body, said.node, extra, actions);

  function showBody() {
    const hadFocus = body.contains(document.activeElement);
    body.replaceChildren(noteHead(note, hooks.pick), words(note.content));
    // A key pressed next must not land on the page.
    if (hadFocus) edit.focus();
    const start = [...note.content.slice(0, 40)].join('');
    edit.ariaLabel = `Edit: ${start}`;
    remove.ariaLabel = `Delete: ${start}`;
  }

  function setMode(next, ...content) {
    mode = next;
    body.hidden = next === 'edit' || next === 'conflict';
    actions.hidden = next !== 'show';
    extra.replaceChildren(...content);
    said.show('');
  }

  function back() {
    form = null;
    if (deleted) return hooks.gone(note.id);
    setMode('show');
    edit.focus();
  }

  function take(next) {
    if (JSON.stringify(next) === JSON.stringify(note)) return;
    note = next;
    showBody();
    hooks.changed();
  }

  /** The note as it is now, with its version. */
  async function read() {
    const answer = await ask('GET', pathOf(note.id));
    if (answer.ok) ({ etag } = answer);
    return answer;
  }

  async function startEdit() {
    const answer = await read();
    if (answer.status === 404) return hooks.gone(note.id);
    if (!answer.ok) return said.show(answer.detail, { bad: true });
    take(answer.body);
    form = noteForm(note, { save, cancel: back });
    setMode('edit', form.node);
    form.focus();
  }

  async function save(fields, changed) {
    if (Object.keys(changed).length === 0) return back();
    const answer = await write('PATCH', pathOf(note.id), { body: changed, ifMatch: etag });
    if (answer.ok) {
      take(answer.body);
      back();
      return null;
    }
    if (answer.status === 404) return showGone(fields);
    if (answer.status === 409) return showConflict(fields);
    return answer.detail;
  }

  /** Somebody changed it: both versions, and a choice. Gives back what goes wrong. */
  async function showConflict(fields) {
    const answer = await read();
    if (answer.status === 404) return showGone(fields);
    if (!answer.ok) return answer.detail;
    const theirs = answer.body;
    take(theirs);
    form.rebase(theirs);
    const fault = statusLine();
    const keep = button('Keep mine', async () => {
      fault.show(await save(fields, fields) ?? '', { bad: true });
    }, 'primary');
    const further = button('Edit mine further', () => {
      setMode('edit', form.node);
      form.focus();
    });
    setMode('conflict', make('p', { className: 'notice', role: 'alert' }, 'Somebody changed this note while you did.'),
      versions(theirs, fields), fault.node, make('div', { className: 'row' }, keep, button('Take theirs', back), further));
    // Not on the one that overwrites: Enter may still be held.
    further.focus();
    return null;
  }

  function showGone(fields) {
    deleted = true;
    const again = button('Write it as a new note', () => hooks.again(note.id, fields), 'primary');
    setMode('conflict', make('p', { className: 'notice', role: 'alert' }, 'Somebody deleted this note while you changed it.'),
      words(fields.content), make('div', { className: 'row' }, again, button('Let it go', back)));
    again.focus();
    return null;
  }

  async function startDelete() {
    const answer = await read();
    if (answer.status === 404) return hooks.gone(note.id);
    if (!answer.ok) return said.show(answer.detail, { bad: true });
    take(answer.body);
    const keep = button('Keep it', () => {
      setMode('show');
      remove.focus();
    });
    const yes = button('Delete', confirmDelete, 'danger');
    setMode('delete', make('p', { className: 'notice' }, 'Delete this note for good? There is no way back.'), make('div', { className: 'row' }, keep, yes));
    keep.focus();
  }

  async function confirmDelete() {
    const answer = await write('DELETE', pathOf(note.id), { ifMatch: etag });
    if (answer.ok || answer.status === 404) return hooks.gone(note.id);
    if (answer.status === 409) {
      const now = await read();
      if (now.ok) take(now.body);
      setMode('show');
      said.show('Somebody changed this note meanwhile, so it was kept. Look at it, then delete it again.', { bad: true });
      return remove.focus();
    }
    said.show(answer.detail, { bad: true });
  }

  showBody();
  return {
    node,
    id: first.id,
    isWorkedOn: () => mode !== 'show',
    /** Its newest version, from wherever. */
    update(next) {
      if (JSON.stringify(next) === JSON.stringify(note)) return;
      const other = next.content !== note.content || next.priority !== note.priority || String(next.tags) !== String(note.tags);
      note = next;
      showBody();
      if (other && mode === 'edit' && !form.isBusy()) form.warn('Somebody changed this note meanwhile. Saving will show both versions.');
    },
    /** It was deleted elsewhere; true when it may go from the list. */
    leave() {
      if (mode === 'show' || mode === 'delete') return true;
      deleted = true;
      if (mode === 'edit' && !form.isBusy()) form.warn('Somebody deleted this note meanwhile. What you typed is still here.');
      return false;
    },
  };
}
