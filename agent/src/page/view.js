// A view beside driving: dressed before it is seen, shown until the address names another one. It never takes, releases or moves
// anything: stop and e-stop stay where they are, and the sentence about the robot comes along.

import { make, refreshAges } from './parts.js';
import { $ } from './words.js';

const AGES_MS = 15_000;

let dressed = null;

/** The style comes with the first view; until then nothing is shown half dressed. */
const dress = () => (dressed ??= new Promise((ready) => {
  document.head.append(make('link', { rel: 'stylesheet', href: '/page/views.css', onload: ready, onerror: ready }));
}));

/** A view, not shown yet. `id` is what the address calls it. */
export function createView(id, title, ...content) {
  const view = make('section', { id, className: 'view', ariaLabel: title, hidden: true }, ...content);
  document.querySelector('main').append(view);
  setInterval(() => refreshAges(view), AGES_MS);
  return view;
}

/** Shows `view` until the address names another one: `start()` now, `stop()` then. */
export function present(view, { start, stop }) {
  const isAsked = () => location.hash === `#${view.id}`;
  // Somebody went back while this was on its way.
  if (!isAsked()) return;
  dress().then(() => (view.hidden = !isAsked()));
  view.prepend($('banner'));
  start();
  addEventListener('hashchange', () => {
    view.hidden = true;
    stop();
    // The next view may have it already.
    if (view.contains($('banner'))) $('canvas').after($('banner'));
  }, { once: true });
}
