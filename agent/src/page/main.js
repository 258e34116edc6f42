// Wires the page's parts. Decides nothing: each part says what it never does.

import { call, onDenied } from './api.js';
import { drive, dropAll } from './drive.js';
import { startHead, startLights, startMoves } from './extras.js';
import { startGamepad } from './gamepad.js';
import { estop, startReset, stop } from './halt.js';
import { startKeys } from './keys.js';
import { release, take } from './lease.js';
import { startPad } from './pad.js';
import { say, startPanel } from './panel.js';
import { startRoom } from './room.js';
import { connect } from './state.js';
import { $ } from './words.js';

const pressStop = async () => say(await stop());
const pressEstop = async () => say(await estop());

const tell = (answer, text) => say(answer.ok ? { text } : { text: answer.detail, bad: true });
const pressTake = async (resource) => tell(await take(resource), `The ${resource} is yours.`);

async function pressRelease(resource) {
  if (resource === 'base') dropAll({});
  tell(await release(resource), 'Released.');
}

/** Without a token the page can still stop the robot, and asks for the token. */
function askForToken() {
  dropAll({});
  $('login').hidden = false;
  $('token').focus();
}

async function logIn(event) {
  event.preventDefault();
  const token = $('token').value.trim();
  const answer = await call('GET', 'state', undefined, { token });
  if (answer.status === 401 || answer.status === 403) {
    $('login-error').textContent = 'The robot does not know this token.';
    return;
  }
  location.assign(`/?token=${encodeURIComponent(token)}`);
}

const VIEWS = { '#memory': () => import('./memory.js'), '#chat': () => import('./chat.js') };

/** Views load when asked for. While one is shown nothing drives, and stops stop. */
async function showView() {
  const { hash } = location;
  drive.away = hash in VIEWS;
  document.body.classList.toggle('away', drive.away);
  for (const link of document.querySelectorAll('nav a')) link.ariaCurrent = link.hash === hash ? 'page' : null;
  if (!drive.away) return;
  dropAll({});
  try {
    (await VIEWS[hash]()).show();
  } catch {
    location.hash = '';
    say({ text: 'This could not be loaded.', bad: true });
  }
}

const reset = startReset($('reset'), say);
for (const resource of ['base', 'head']) {
  $(`${resource}-take`).onclick = () => pressTake(resource);
  $(`${resource}-release`).onclick = () => pressRelease(resource);
}
// Pointer down, not click: a finger that slides off has stopped the robot all the same.
for (const [id, act] of [['stop', pressStop], ['estop', pressEstop]]) {
  let touchedAt = -Infinity;
  $(id).onpointerdown = (event) => {
    if (event.button !== 0) return;
    touchedAt = performance.now();
    act();
  };
  $(id).onclick = () => {
    if (performance.now() - touchedAt > 800) act();
  };
}
// A slider that was dragged gives the arrow keys back to driving.
document.addEventListener('pointerup', ({ target }) => target.matches?.('input[type=range]') && target.blur());
$('login-form').onsubmit = logIn;
onDenied(askForToken);

startPanel({ take: () => pressTake('base'), reset });
startRoom($('canvas'));
startPad($('pad'));
startKeys({ stop: pressStop, estop: pressEstop, take: () => pressTake('base'), reset });
startGamepad({ stop: pressStop, estop: pressEstop, show: (there) => ($('gamepad').hidden = !there) });
startHead(say);
startLights(say);
startMoves(say);
onhashchange = showView;
showView();
connect();
