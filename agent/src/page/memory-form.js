// The fields of a note. Checks the limits that the robot checks too, so that nobody learns of them after writing.

import { button, labelled, make, statusLine } from './parts.js';

const CONTENT_BYTES_MAX = 16 * 1024;
const TAGS_MAX = 32;
const TAG_BYTES_MAX = 64;
const PRIORITY_DEFAULT = 50;

const bytes = (text) => new TextEncoder().encode(text).length;
const tagsOf = (text) => [...new Set(text.split(',').map((tag) => tag.trim()).filter(Boolean))];
const shown = (tags) => tags.join(', ');

/** What is wrong with it, or null. */
function fault({ content, tags }) {
  if (content.trim() === '') return 'Write something first.';
  if (bytes(content) > CONTENT_BYTES_MAX) return `The note has ${bytes(content)} bytes; at most ${CONTENT_BYTES_MAX} are kept.`;
  if (tags.length > TAGS_MAX) return `At most ${TAGS_MAX} tags.`;
  const long = tags.find((tag) => bytes(tag) > TAG_BYTES_MAX);
  return long ? `The tag “${long}” is longer than ${TAG_BYTES_MAX} bytes.` : null;
}

/**
 * A form about `note` (none: a new one), filled with `draft`. `save(fields, changed)` gets all fields and those that were
 * changed, and gives back what went wrong, or nothing; `cancel()` leaves it.
 */
export function noteForm(note, { save, cancel }, draft = note) {
  const content = make('textarea', { rows: 4, dir: 'auto', value: draft?.content ?? '' });
  const tags = make('input', { type: 'text', dir: 'auto', autocomplete: 'off', value: shown(draft?.tags ?? []) });
  const priority = make('input', { type: 'range', min: 0, max: 100, step: 1, value: draft?.priority ?? PRIORITY_DEFAULT });
  const number = make('output', {}, priority.value);
  priority.oninput = () => number.replaceChildren(priority.value);
  const status = statusLine();
  let base = note;
  let busy = false;

  // A tag with a comma in it is kept as long as nobody touches the field.
  const fields = () => ({
    content: content.value, priority: Number(priority.value),
    tags: base && tags.value === shown(base.tags) ? base.tags : tagsOf(tags.value),
  });

  async function submit(event) {
    event?.preventDefault();
    if (busy) return;
    const now = fields();
    const wrong = fault(now);
    if (wrong) return status.show(wrong, { bad: true });
    const changed = Object.fromEntries(Object.entries(now).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(base?.[name])));
    busy = true;
    status.show('Saving…');
    const problem = await save(now, changed);
    busy = false;
    status.show(problem ?? '', { bad: Boolean(problem) });
  }

  const node = make('form', { className: 'note-form', onsubmit: submit },
    labelled('Note', content),
    labelled('Tags, with commas between', tags),
    labelled('Priority', priority, number),
    status.node,
    make('div', { className: 'row' }, make('button', { className: 'primary' }, 'Save'), button('Cancel', cancel)));
  node.onkeydown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
  };

  return {
    node, fields,
    isBusy: () => busy,
    focus: () => content.focus(),
    warn: (text) => status.show(text, { bad: true }),
    /** Another version lies under what was typed: from now on changes are changes of that one. */
    rebase: (other) => (base = other),
  };
}
