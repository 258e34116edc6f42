// Who answers what the reflexes pass on: how fast, at what cost, and why somebody rests. Asking changes nothing.

import { ask } from './ask.js';
import { atMost, make, statusLine } from './parts.js';

export const TIERS = {
  reflex: 'by rules, without a model', cloud: 'the cloud', ollama: 'Ollama', openai: 'OpenAI', claude: 'Claude', gemini: 'Gemini',
  cached: 'said before; nobody answers now', none: 'no answer found',
};
const REREAD_MS = 1000;

const seconds = (ms) => `${Math.ceil(ms / 1000)} s`;
const dollars = (amount) => `$${amount < 1 ? amount.toFixed(4) : amount.toFixed(2)}`;

function speed({ first_token_ms_p50, first_token_ms_p95, first_token_deadline_ms }) {
  if (first_token_ms_p50 == null) return `waits ${seconds(first_token_deadline_ms)} for a first word`;
  return `first word after ${first_token_ms_p50} ms, 19 of 20 within ${first_token_ms_p95} ms`;
}

function row(tier) {
  const { configured, because, model, rests_ms, answers, failures, spent_usd, budget_usd } = tier;
  const isSound = configured && !because;
  const state = !configured ? 'not set up' : !because ? 'answers' : rests_ms ? `rests for ${seconds(rests_ms)}` : 'rests';
  const line = make('li', {}, make('b', {}, TIERS[tier.tier] ?? tier.tier), model && model !== 'robbie' ? ` ${model} ` : ' ',
    make('span', { className: isSound ? 'soft' : 'bad' }, state));
  line.dataset.tier = tier.tier;
  if (because) line.append(make('p', { dir: 'auto' }, because));
  if (answers === undefined) return line;
  const cost = spent_usd || budget_usd ? ` · ${dollars(spent_usd)}${budget_usd ? ` of ${dollars(budget_usd)}` : ''} in 24 h` : '';
  line.append(make('p', { className: 'soft' }, `${speed(tier)} · ${answers} answered, ${failures} failed${cost}`));
  return line;
}

/** A list that is read when it is opened, and anew after an answer while it is open. */
export function createTiers() {
  const status = statusLine();
  const list = make('ol');
  const node = make('details', { className: 'tiers' }, make('summary', {}, 'Who answers'), list, status.node);
  const reread = atMost(async () => {
    if (!node.open) return;
    const answer = await ask('GET', 'ai/tiers');
    if (!answer.ok) return status.show(`This could not be read: ${answer.detail}`, { bad: true, retry: reread });
    // The last one answers only when nobody else does.
    list.replaceChildren(...answer.body.tiers.filter(({ tier }) => tier !== 'cached').map(row));
    status.show('');
  }, REREAD_MS);
  node.addEventListener('toggle', reread);
  return { node, reread };
}
