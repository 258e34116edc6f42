// The memory's view: notes, finding again, what matters now, mood. Loaded when a person opens it. It never takes, releases or
// moves anything: stop and e-stop stay where they are, and the sentence about the robot comes along.

import { onReadOnly, write } from './memory-ask.js';
import { createFind } from './memory-find.js';
import { createLive } from './memory-live.js';
import { createMood } from './memory-mood.js';
import { createNotes } from './memory-notes.js';
import { createNow } from './memory-now.js';
import { make, refreshAges } from './memory-parts.js';
import { $ } from './words.js';

const AGES_MS = 15_000;

/** The style comes with the view; until then nothing is shown half dressed. */
function loadStyle(view) {
  const ready = () => (view.hidden = false);
  view.hidden = true;
  document.head.append(make('link', { rel: 'stylesheet', href: '/page/memory.css', onload: ready, onerror: ready }));
}

/** A change that changes nothing: whoever may not write is told before typing. */
const probe = () => write('POST', 'mood/update', { body: {} });

function build() {
  const find = createFind();
  const notes = createNotes();
  const now = createNow();
  const mood = createMood();
  const live = make('p', { className: 'live soft', role: 'status' });
  const only = make('p', { className: 'notice', hidden: true }, 'Your token may read this memory, but not change it: it lacks the scope speak.');
  const view = make('section', { id: 'memory', ariaLabel: 'Memory' },
    make('div', { className: 'columns' }, make('div', { className: 'top' }, only, live),
      make('div', { className: 'wide' }, find.node, notes.node), make('div', { className: 'narrow' }, now.node, mood.node)));
  onReadOnly(() => {
    view.classList.add('read-only');
    only.hidden = false;
  });
  const socket = createLive({
    hear(kind, data) {
      if (kind === 'personality') return mood.hear(data);
      notes.hear(data);
      now.reread();
    },
    reread() {
      for (const part of [notes, now, mood]) part.reread();
    },
    tell(isLive) {
      live.replaceChildren(isLive ? 'Live: what changes elsewhere appears by itself.' : 'Not live: what changes elsewhere is not seen. Trying again…');
      live.classList.toggle('bad', !isLive);
    },
  });
  loadStyle(view);
  document.querySelector('main').append(view);
  setInterval(() => refreshAges(view), AGES_MS);
  return { view, socket };
}

let built = null;

/** Shows the view until the address names another one. */
export function show() {
  // Somebody went back while this was on its way.
  if (location.hash !== '#memory') return;
  if (!built) probe();
  built ??= build();
  const { view, socket } = built;
  view.prepend($('banner'));
  socket.start();
  addEventListener('hashchange', () => {
    socket.stop();
    $('canvas').after($('banner'));
  }, { once: true });
}
