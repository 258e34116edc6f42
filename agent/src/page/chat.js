// Talking with Robbie. Loaded when a person opens it. It moves nothing by itself: what a message may do, the robot decides, and
// what this page holds of it is given back first.

import { ask, onReadOnly, probe } from './ask.js';
import { createThread } from './chat-thread.js';
import { createTiers } from './chat-tiers.js';
import { holding, release } from './lease.js';
import { createLive } from './live.js';
import { button, make, picture, statusLine } from './parts.js';
import { createView, present } from './view.js';

/** Otherwise the page itself would keep the robot from doing what it is told here. */
const giveBack = () => Promise.all(['base', 'head'].map((resource) => holding(resource) !== 'theirs' && release(resource)));

/** The field and its button. `say(text)` gives back whether the text was taken. */
function createForm(say) {
  const status = statusLine();
  status.node.id = 'chat-status';
  const field = make('textarea', {
    rows: 1, dir: 'auto', autocomplete: 'off', enterKeyHint: 'send', placeholder: 'Turn left 30 degrees', ariaLabel: 'Message',
  });
  const send = make('button', { className: 'primary' }, 'Send');
  let obstacle = '';
  // The field stays open: a key that somebody types must not land on the page and stop the robot.
  field.setAttribute('aria-describedby', status.node.id);

  const submit = async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (obstacle || !text) return;
    field.value = '';
    const fault = await say(text);
    if (!fault) return;
    field.value = text;
    status.show(fault, { bad: true });
  };
  field.onkeydown = (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
  };
  return {
    nodes: [status.node, make('form', { className: 'ask', onsubmit: submit }, field, send)],
    /** Why nothing can be sent now; nothing: it can. */
    bar(reason, options) {
      obstacle = reason;
      send.disabled = Boolean(reason);
      status.show(reason, options);
    },
    tell: status.show,
    focus: () => field.focus(),
  };
}

function build() {
  const now = { shown: false, live: null, reading: true, mute: false, fault: null };
  const face = picture('friendly', 40, 'friendly');
  const log = make('div', { className: 'talk', role: 'log', ariaLabel: 'Conversation', ariaLive: 'polite', tabIndex: 0 });
  const form = createForm(async (text) => {
    await giveBack();
    now.fault = null;
    return thread.say(text);
  });
  const tiers = createTiers();
  const fresh = button('New conversation', () => {
    thread.begin();
    Object.assign(now, { reading: false, fault: null });
    refresh();
    form.focus();
  });
  const view = createView('chat', 'Chat', make('div', { className: 'head' }, face, make('h2', {}, 'Chat'), fresh), tiers.node, log, ...form.nodes);
  // Stop and e-stop stay above the keyboard of a phone.
  document.querySelector('[name=viewport]').content += ',interactive-widget=resizes-content';

  const socket = createLive({
    kinds: ['personality'],
    hear(type, data, key) {
      if (type === 'personality') return showMood(data.mood);
      thread.hear(type, data, key);
      if (type === 'done') {
        showMood(data.mood);
        tiers.reread();
      }
      settle();
    },
    async reread() {
      const answer = await ask('GET', 'personality');
      if (answer.ok) showMood(answer.body.mood);
    },
    tell(live) {
      now.live = live;
      refresh();
      if (live) thread.sendAgain();
    },
  });
  const thread = createThread({ log, send: socket.send });

  function refresh() {
    if (now.mute) return form.bar('Your token may read, but not talk to Robbie: it lacks the scope speak.', { bad: true });
    if (now.reading) return form.bar('Reading what was said last…');
    if (now.live === null) return form.bar('Connecting…');
    if (!now.live) return form.bar('The robot does not hear this page now. What you type stays here. Trying again…', { bad: true });
    form.bar('');
    if (now.fault) form.tell(`What was said last could not be read: ${now.fault}`, { bad: true, retry: readLast });
  }

  function showMood(mood) {
    if (face.alt !== mood) face.replaceWith(Object.assign(face, picture(mood, 40, mood)));
  }

  /** What moves because of a message ends with its socket: when nobody looks, and not for another view. */
  function settle() {
    if (!document.hidden && (now.shown || thread.isWaiting())) return socket.start();
    now.live = null;
    socket.stop();
    refresh();
  }

  async function readLast() {
    now.reading = true;
    refresh();
    now.fault = await thread.readLast();
    now.reading = false;
    refresh();
  }

  const show = (shown) => {
    now.shown = shown;
    settle();
  };
  document.addEventListener('visibilitychange', settle);
  onReadOnly(() => {
    now.mute = true;
    refresh();
  });
  probe();
  readLast();
  return {
    view,
    start() {
      giveBack();
      show(true);
    },
    stop: () => show(false),
  };
}

let built = null;

/** Shows the view until the address names another one. */
export function show() {
  built ??= build();
  present(built.view, built);
}
