// Robbie's mood and personality: shown as the robot says it, changed only by a person's press. Ranges are the robot's own,
// and so is every refusal.

import { ask, onReadOnly, query, write } from './ask.js';
import { atMost, button, calmly, card, labelled, make, picture, statusLine, when } from './parts.js';

const MOODS = ['friendly', 'focused', 'playful', 'bossy', 'surprised', 'blushing'];
const LEVELS = {
  energy: { label: 'Energy', min: 0, max: 100 },
  gandhi_genghis: { label: 'Gentle (1) to fierce (10)', min: 1, max: 10 },
  attraction_level: { label: 'Attraction', min: 1, max: 11 },
};
const PAGE = 8;
const REREAD_MS = 400;
/** Arrow keys change a slider step by step; the last step counts. */
const STEPS_MS = 300;

function changeRow(change) {
  const { from, mood, energy, gandhi_genghis, attraction_level } = change;
  const step = from === mood ? `still ${mood}` : `${from} → ${mood}`;
  return make('li', {},
    make('p', {}, picture(mood, 24), make('b', {}, step), ' ', when(change.at), ' ', make('bdi', { className: 'soft' }, `by ${change.source}`)),
    make('p', { dir: 'auto' }, change.reason),
    change.context && !change.reason.includes(change.context) && make('p', { dir: 'auto' }, `“${change.context}”`),
    make('p', { className: 'soft' }, `energy ${energy} · fierce ${gandhi_genghis} · attraction ${attraction_level}`));
}

/** One number with its slider; `send(value)` when a person lets go. */
function createLevel({ label, min, max }, send) {
  const slider = make('input', { type: 'range', min, max, step: 1, disabled: true });
  const number = make('output', {}, '–');
  let touched = false; // a person's hand is on it
  slider.oninput = () => {
    touched = true;
    number.replaceChildren(slider.value);
  };
  slider.onchange = calmly(async () => {
    await send(Number(slider.value));
    touched = false;
  }, STEPS_MS);
  return {
    node: labelled(label, slider, number),
    show(value, mayChange) {
      slider.disabled = !mayChange;
      if (touched) return;
      slider.value = value;
      number.replaceChildren(String(value));
    },
  };
}

export function createMood() {
  let now = null;
  let mayChange = true;
  let next = null;
  const face = make('img', { className: 'face-now', width: 96, height: 96, hidden: true });
  const name = make('p', { className: 'mood-name' });
  const emojis = make('p', { className: 'emojis', ariaHidden: 'true' });
  const status = statusLine();
  const reason = make('input', { type: 'text', dir: 'auto', autocomplete: 'off', maxLength: 250, placeholder: 'Why? (kept with the change)', ariaLabel: 'Why the mood or a number is changed' });
  const moods = MOODS.map((mood) => make('button', { type: 'button', ariaPressed: 'false', onclick: () => change({ mood }) }, picture(mood, 24), mood));
  const levels = Object.entries(LEVELS).map(([field, level]) => [field, createLevel(level, (value) => change({ [field]: value }))]);
  const history = make('ol', { className: 'history' });
  const past = statusLine();
  const more = button('Load more', () => readHistory(next));
  more.hidden = true;
  const node = card('Mood and personality', null,
    make('div', { className: 'mood-now' }, face, make('div', {}, name, emojis)),
    make('div', { className: 'moods', role: 'group', ariaLabel: 'Mood' }, ...moods),
    ...levels.map(([, level]) => level.node), make('div', { className: 'edits' }, reason), status.node,
    make('h3', {}, 'Changes'), history, past.node, more);

  function show(state) {
    now = state;
    face.hidden = false;
    if (face.alt !== state.mood) Object.assign(face, { src: `/moods/${encodeURIComponent(state.mood)}.svg`, alt: state.mood });
    name.replaceChildren(state.mood);
    emojis.replaceChildren(state.mood_data.matrix_emojis.join(' '));
    moods.forEach((press, index) => Object.assign(press, { ariaPressed: String(MOODS[index] === state.mood), disabled: !mayChange }));
    levels.forEach(([field, level]) => level.show(state[field], mayChange));
  }

  async function change(update) {
    const context = reason.value.trim();
    status.show('');
    const answer = await write('POST', 'mood/update', { body: context ? { ...update, context } : update });
    if (answer.ok) {
      reason.value = '';
      show(answer.body);
      return reread();
    }
    status.show(answer.detail, { bad: true });
    // A slider goes back to what is true.
    setTimeout(() => now && show(now));
  }

  async function readHistory(cursor) {
    const answer = await ask('GET', `mood/history${query({ limit: PAGE, cursor })}`);
    if (!answer.ok) return past.show(`The changes could not be read: ${answer.detail}`, { bad: true, retry: () => readHistory(cursor) });
    ({ next } = answer);
    const changes = answer.body.map(changeRow);
    if (cursor) history.append(...changes);
    else history.replaceChildren(...changes);
    past.show(history.firstChild ? '' : 'Nothing was ever changed.');
    more.hidden = !next;
  }

  const reread = atMost(async () => {
    if (!now) status.show('Reading…');
    const answer = await ask('GET', 'personality');
    if (!answer.ok) return status.show(`The mood could not be read: ${answer.detail}`, { bad: true, retry: reread });
    if (!now) status.show('');
    show(answer.body);
    await readHistory(null);
  }, REREAD_MS);

  onReadOnly(() => {
    mayChange = false;
    if (now) show(now);
  });

  return {
    node,
    reread,
    hear(state) {
      show(state);
      reread();
    },
  };
}
