// Why the last commands were refused. Loaded when a person opens that card; shows what the robot wrote down, as text.

import { call, problemName } from './api.js';
import { newestSeen } from './state.js';
import { $, span } from './words.js';

const ROWS = 12;

function make(tag, ...content) {
  const node = document.createElement(tag);
  node.append(...content);
  return node;
}

/** Fills the card, newest first. */
export async function showWhy() {
  const answer = await call('GET', 'control/why');
  if (!answer.ok) return;
  const now = newestSeen()?.mono_ms ?? 0;
  const rows = [...answer.body.refusals].reverse().slice(0, ROWS).map((refusal) => {
    const when = make('p', `${refusal.source} · ${span(Math.max(0, now - refusal.mono_ms))} ago`);
    when.className = 'soft';
    return make('li', make('b', problemName(refusal.type)), when, refusal.detail);
  });
  $('why-list').replaceChildren(...(rows.length ? rows : [make('li', 'Nothing was refused.')]));
}
