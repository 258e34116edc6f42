// Finding again by meaning and by word. Shows why each hit was found and what each signal gave, and never claims more than
// the robot says about how it compared.

import { ask, query } from './ask.js';
import { calmly, card, make, memoryRow, statusLine } from './parts.js';

const HITS = 10;
const TYPING_MS = 350;
const SIGNALS = { meaning: 'meaning', words: 'words', speaker: 'speaker', time: 'time', context: 'context', neighbour: 'next to a hit' };

const sumOf = ({ signals }) => signals.reduce((total, { share }) => total + Math.max(0, share), 0);

/** What each signal gave, as parts of what the best hit got: so a weak hit looks weak. */
function bars({ signals }, best) {
  const rows = signals.filter(({ share }) => share > 0).map(({ name, share }) => {
    const percent = Math.round((share / best) * 100);
    const bar = make('i');
    bar.style.width = `${percent}%`;
    return make('div', { className: 'bar' }, make('dt', {}, SIGNALS[name] ?? name), make('dd', {}, make('span', { className: 'track', ariaHidden: 'true' }, bar), `${percent} %`));
  });
  return rows.length > 0 && make('dl', { className: 'bars', title: 'What each signal gave, in parts of the best hit’s score' }, ...rows);
}

/** How the robot compared, in a person's words. */
function method({ embedding, embedded }) {
  const parts = [];
  if (embedding === 'lexical') {
    parts.push('Compared by the built-in lexical embedding, because there are no weights for meaning: ', make('code', {}, 'robbie-agent models pull minilm'), ' makes it better.');
  } else parts.push(`Compared by meaning with ${embedding}.`);
  const percent = Math.floor(embedded * 100);
  parts.push(percent >= 100 ? ' Everything is embedded.' : ` ${percent} % of the memory is embedded so far; the rest is found by its words.`);
  return make('p', { className: 'method soft' }, ...parts);
}

export function createFind() {
  const field = make('input', { type: 'search', ariaLabel: 'What shall be found?', placeholder: 'What did Anna say last week?', dir: 'auto', autocomplete: 'off', maxLength: 2000 });
  const status = statusLine();
  const about = make('div');
  const list = make('ol', { className: 'hits' });
  const form = make('form', { className: 'ask', role: 'search' }, field, make('button', { className: 'primary' }, 'Find'));
  const node = card('Find', null, form, status.node, about, list);
  let asked = 0;

  const clear = () => {
    about.replaceChildren();
    list.replaceChildren();
  };

  async function find() {
    const mine = ++asked;
    const question = field.value.trim();
    if (question === '') {
      clear();
      return status.show('');
    }
    status.show('Looking…');
    const answer = await ask('GET', `memory/search${query({ q: question, limit: HITS })}`);
    // An answer to an older question.
    if (mine !== asked) return;
    clear();
    if (!answer.ok) return status.show(`Nothing could be looked up: ${answer.detail}`, { bad: true, retry: find });
    const { hits } = answer.body;
    status.show(hits.length ? `${hits.length} hit${hits.length === 1 ? '' : 's'}, best first.` : 'Nothing was found.');
    about.append(method(answer.body));
    const best = Math.max(...hits.map(sumOf));
    list.append(...hits.map((hit) => memoryRow(hit, bars(hit, best))));
  }

  const later = calmly(find, TYPING_MS);
  field.oninput = later;
  form.onsubmit = (event) => {
    event.preventDefault();
    later.now();
  };
  return { node };
}
