// The memory's view: notes, finding again, what matters now, mood. Loaded when a person opens it. It moves nothing.

import { onReadOnly, probe } from './ask.js';
import { createLive } from './live.js';
import { createFind } from './memory-find.js';
import { createMood } from './memory-mood.js';
import { createNotes } from './memory-notes.js';
import { createNow } from './memory-now.js';
import { createSync } from './memory-sync.js';
import { make } from './parts.js';
import { createView, present } from './view.js';

function build() {
  const find = createFind();
  const notes = createNotes();
  const now = createNow();
  const mood = createMood();
  const sync = createSync();
  const live = make('p', { className: 'live soft', role: 'status' });
  const only = make('p', { className: 'notice', hidden: true }, 'Your token may read this memory, but not change it: it lacks the scope speak.');
  const view = createView('memory', 'Memory',
    make('div', { className: 'columns' }, make('div', { className: 'top' }, only, live),
      make('div', { className: 'wide' }, find.node, notes.node), make('div', { className: 'narrow' }, now.node, sync.node, mood.node)));
  onReadOnly(() => {
    view.classList.add('read-only');
    only.hidden = false;
  });
  const socket = createLive({
    kinds: ['note', 'personality'],
    hear(kind, data) {
      if (kind === 'personality') return mood.hear(data);
      notes.hear(data);
      now.reread();
      sync.reread();
    },
    reread() {
      for (const part of [notes, now, mood, sync]) part.reread();
    },
    tell(isLive) {
      live.replaceChildren(isLive ? 'Live: what changes elsewhere appears by itself.' : 'Not live: what changes elsewhere is not seen. Trying again…');
      live.classList.toggle('bad', !isLive);
    },
  });
  return { view, socket };
}

let built = null;

/** Shows the view until the address names another one. */
export function show() {
  if (!built) probe();
  built ??= build();
  present(built.view, built.socket);
}
