// How a message and its answer look: words as they come, what was done, where it is known from. Texts only; it sends nothing.

import { TIERS } from './chat-tiers.js';
import { button, make, memoryRow, picture, when, words } from './parts.js';

const STATES = { running: 'under way…', done: 'done', failed: 'failed', skipped: 'not begun' };
const UNITS = { m: ' m', deg: '°' };
const FACE_PX = 32;

const unseen = (text) => make('span', { className: 'unseen' }, text);

/** What a person said. */
export const mine = (text, at) => make('div', { className: 'said mine' }, unseen('You said:'), words(text), make('p', { className: 'meta' }, when(at)));

/** A slot in a person's words: distance_m 0.5 becomes "distance 0.5 m". */
function slot([name, value]) {
  if (name === 'text' || name === 'query') return `“${value}”`;
  if (name === 'on') return value ? 'on' : 'off';
  if (typeof value !== 'number') return value;
  const [, word, unit] = /^(.+?)(?:_(m|deg))?$/.exec(name);
  return `${word} ${Number(value.toFixed(3))}${UNITS[unit] ?? ''}`;
}

function callRow({ skill, status, detail, problem, ...slots }) {
  const row = make('li', { className: 'call', dir: 'auto' }, make('b', {}, skill.replaceAll('_', ' ')),
    ` ${Object.entries(slots).map(slot).join(', ')} `, make('span', { className: 'state' }, STATES[status] ?? status));
  row.dataset.status = status;
  // What became of the others is in the reply.
  if (status === 'failed') row.append(make('p', {}, `${detail ?? ''} `, problem && make('code', {}, problem)));
  return row;
}

function sourceList(sources) {
  const title = sources.length === 1 ? '1 source' : `${sources.length} sources`;
  return make('details', { className: 'sources' }, make('summary', {}, title), make('ol', {}, ...sources.map((hit) => memoryRow(hit))));
}

/** What Robbie says, from its beginning on. Its methods take the events of the same names. */
export function createAnswer() {
  const face = make('span', { className: 'face-then' });
  const said = make('p', { className: 'words', dir: 'auto' });
  const calls = make('ul');
  const foot = make('div');
  const about = make('p', { className: 'meta' });
  const node = make('div', { className: 'said' }, face, make('div', { className: 'bubble' }, unseen('Robbie said:'), said, calls, foot, about));

  function showCalls(list) {
    const rows = list.map(callRow);
    // What a screen reader has read already is not put there again.
    const isThere = rows.length === calls.childElementCount && rows.every((row, index) => row.isEqualNode(calls.children[index]));
    if (!isThere) calls.replaceChildren(...rows);
  }

  return {
    node,
    /** It is on its way, perhaps again. */
    begin() {
      for (const part of [said, calls, foot, about]) part.replaceChildren();
      node.classList.add('waiting');
      said.ariaBusy = 'true';
    },
    tier({ tier }) {
      about.replaceChildren(TIERS[tier] ?? tier);
    },
    tool_call(call) {
      const last = calls.lastElementChild;
      if (last?.dataset.status === 'running') last.replaceWith(callRow(call));
      else calls.append(callRow(call));
    },
    token({ text }) {
      said.append(text);
    },
    done({ reply, mood, tier, tool_calls = [], sources = [], latency_ms }, at = new Date().toISOString()) {
      node.classList.remove('waiting');
      if (said.textContent !== reply) said.replaceChildren(reply);
      said.ariaBusy = 'false';
      face.replaceChildren(picture(mood, FACE_PX, mood));
      showCalls(tool_calls);
      if (sources.length) foot.replaceChildren(sourceList(sources));
      about.replaceChildren(when(at), ...(tier ? [make('span', {}, TIERS[tier] ?? tier), make('span', {}, `${latency_ms} ms`)] : []));
    },
    /** There is no answer; `again` asks for it once more. */
    error({ detail, title }, again) {
      node.classList.remove('waiting');
      said.ariaBusy = 'false';
      foot.replaceChildren(make('p', { className: 'bad' }, detail ?? title ?? 'There is no answer.', button('Send again', again, 'small')));
    },
  };
}
