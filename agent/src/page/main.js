// Wires the page's parts. Decides nothing: each part says what it never does.

import { call, onDenied } from './api.js';
import { dropAll } from './drive.js';
import { startHead, startLights, startMoves } from './extras.js';
import { startGamepad } from './gamepad.js';
import { estop, startReset, stop } from './halt.js';
import { startKeys } from './keys.js';
import { release, take } from './lease.js';
import { startPad } from './pad.js';
import { say, startPanel } from './panel.js';
import { startRoom } from './room.js';
import { connect } from './state.js';

const $ = (id) => document.getElementById(id);

const pressStop = async () => say(await stop());
const pressEstop = async () => say(await estop());

async function pressTake(resource) {
  const answer = await take(resource);
  const name = resource === 'base' ? 'The base is yours.' : 'The head is yours.';
  say(answer.ok ? { text: name } : { text: answer.detail, bad: true });
}

async function pressRelease(resource) {
  if (resource === 'base') dropAll();
  const answer = await release(resource);
  say(answer.ok ? { text: 'Released.' } : { text: answer.detail, bad: true });
}

/** Without a token the page can still stop the robot, and asks for the token. */
function askForToken() {
  $('login').hidden = false;
  $('room').hidden = $('side').hidden = true;
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

const reset = startReset($('reset'), say);
for (const resource of ['base', 'head']) {
  $(`${resource}-take`).addEventListener('click', () => pressTake(resource));
  $(`${resource}-release`).addEventListener('click', () => pressRelease(resource));
}
// Pointer down, not click: a finger that slides off has stopped the robot all the same.
for (const [id, act] of [['stop', pressStop], ['estop', pressEstop]]) {
  let touchedAt = -Infinity;
  $(id).addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    touchedAt = performance.now();
    act();
  });
  $(id).addEventListener('click', () => performance.now() - touchedAt > 800 && act());
}
// A slider that was dragged gives the arrow keys back to driving.
document.addEventListener('pointerup', ({ target }) => target.matches?.('input[type=range]') && target.blur());
$('login-form').addEventListener('submit', logIn);
onDenied(askForToken);

startPanel({ take: () => pressTake('base'), reset });
startRoom($('canvas'));
startPad($('pad'));
startKeys({ stop: pressStop, estop: pressEstop, take: () => pressTake('base'), reset });
startGamepad({ stop: pressStop, estop: pressEstop, show: (there) => ($('gamepad').hidden = !there) });
startHead(say);
startLights(say);
startMoves(say);
connect();
