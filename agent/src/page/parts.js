// Small parts of the views. Everything that comes from the robot is set as text, never read as HTML.

/** Characters of a text that are shown at first. */
const SHOWN_MAX = 600;
/** A clock that was never set tells no age. */
const CLOCK_SET = Date.UTC(2020);

/** An element with its properties and content. */
export function make(tag, properties = {}, ...content) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...content.filter((part) => part !== null && part !== undefined && part !== false));
  return node;
}

export const button = (text, onclick, className = '') => make('button', { type: 'button', className, onclick }, text);

/** A label above its field. */
export const labelled = (text, field, ...more) => make('label', { className: 'field' }, make('span', {}, text), field, ...more);

/** A card with its heading; `aside` stands beside the heading. */
export const card = (title, aside, ...content) => make('section', { className: 'card', ariaLabel: title }, make('div', { className: 'head' }, make('h2', {}, title), aside), ...content);

/** Text of a person: its own direction, its line breaks, and long ones cut until somebody wants all. */
export function words(text) {
  const node = make('p', { className: 'words', dir: 'auto' });
  if (text.length <= SHOWN_MAX) {
    node.append(text);
    return node;
  }
  const all = button('Show all', () => node.replaceChildren(text), 'small');
  // By characters, so that none is cut in half.
  node.append(`${[...text.slice(0, SHOWN_MAX)].slice(0, -1).join('')}… `, all);
  return node;
}

const SPANS = [[60, 1, 's'], [3600, 60, 'min'], [86400, 3600, 'h'], [86400 * 60, 86400, 'days']];

/** "just now", "5 min ago", or the date. */
export function age(at, now = Date.now()) {
  const time = Date.parse(at);
  if (!(time >= CLOCK_SET)) return 'at an unknown time';
  const seconds = (now - time) / 1000;
  if (seconds < 10 && seconds > -120) return 'just now';
  const span = seconds > 0 && SPANS.find(([end]) => seconds < end);
  if (!span) return new Date(time).toLocaleDateString();
  const count = Math.floor(seconds / span[1]);
  return `${count} ${count === 1 && span[2] === 'days' ? 'day' : span[2]} ago`;
}

/** When something was, as an age; the moment itself is in the title. */
export const when = (at) => make('time', { dateTime: at, title: Number.isNaN(Date.parse(at)) ? at : new Date(at).toLocaleString() }, age(at));

/** Ages go on while somebody looks. */
export const refreshAges = (view) => view.querySelectorAll('time').forEach((node) => {
  const now = age(node.dateTime);
  if (node.textContent !== now) node.textContent = now;
});

export const picture = (mood, size, alt = '') => make('img', { src: `/moods/${encodeURIComponent(mood)}.svg`, alt, width: size, height: size });

const KINDS = { note: 'Note', fact: 'Fact', turn: 'Said' };

/** A memory: what it is, by whom and of when, its words, and why it was found. */
export const memoryRow = ({ kind, speaker, at, text, why }, ...more) => make('li', { className: 'hit' },
  make('p', { className: 'meta' }, make('b', { className: `kind ${kind}` }, KINDS[kind] ?? kind), speaker && make('bdi', { className: 'author' }, speaker), when(at)),
  words(text), make('p', { className: 'why soft', dir: 'auto' }, why), ...more);

/** One line about how it goes, which a screen reader hears. */
export function statusLine() {
  const text = make('span');
  const again = button('Try again', null, 'small');
  const node = make('p', { className: 'status soft', role: 'status' }, text, again);
  const show = (sentence, { bad = false, retry = null } = {}) => {
    if (text.textContent !== sentence) text.textContent = sentence;
    node.classList.toggle('bad', bad);
    node.hidden = !sentence;
    again.hidden = !retry;
    again.onclick = retry;
  };
  show('');
  return { node, show };
}

/** Runs `act` once after `ms` of quiet; `now()` does not wait. */
export function calmly(act, ms) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
  later.now = () => {
    clearTimeout(timer);
    act();
  };
  return later;
}

/** Runs `act` at once and then at most every `ms`, never twice at a time; the last call is never lost. */
export function atMost(act, ms) {
  let busy = false;
  let again = false;
  return async function run() {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      await act();
      await new Promise((done) => setTimeout(done, ms));
    }
    busy = false;
  };
}
