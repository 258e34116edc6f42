// Vitals, who drives, the one sentence about what keeps the robot still, and the button that ends it.
// Shows only what the robot said; presses nothing by itself.

import { drive, limits, on } from './drive.js';
import { holding } from './lease.js';
import { onState, robot, shownAge } from './state.js';
import { $, CLASS, CLOSED, degrees, SLOWED, span } from './words.js';

const HINT_MS = 7000;
const put = (id, text) => {
  const node = $(id);
  if (node.textContent !== text) node.textContent = text;
};
const who = (lease) => `${lease.holder || 'someone'} (${CLASS[lease.class] ?? lease.class})`;

let hint = null; // {text, tone, until}

/** Shows one sentence for a few seconds, also to a screen reader. */
export function say({ text, bad = false }) {
  hint = { text, tone: bad && 'bad', until: performance.now() + HINT_MS };
  put('news', '');
  put('news', text);
  refresh();
}

/** What keeps the robot still or the person from driving; the first that applies. */
function obstacle() {
  const { state, contact } = robot;
  if (contact === 'lost' || (state && shownAge() > 2000)) return { tone: 'bad', text: `No contact with the robot for ${span(shownAge())}. Driving has ended by itself; a measured move goes on to its end, 30 s at most. Trying again…` };
  if (!state) return { text: 'Looking for the robot…' };
  if (state.estop.latched) {
    const { epoch, reason } = state.estop;
    return { tone: 'bad', act: 'reset', button: 'Reset…', text: `E-stop ${epoch} is latched${reason && `: ${reason}`}.` };
  }
  const { closed } = state.base;
  const open = closed && { act: 'take', button: 'Take and open' };
  if (hint && performance.now() < hint.until) return { tone: hint.tone, text: hint.text, ...open };
  if (closed) {
    return { tone: 'warn', ...open, text: `Closed ${span(closed.since_ms)} ago: ${CLOSED[closed.by] ?? closed.reason}. It stays still until someone takes it.` };
  }
  if (state.mcu.link !== 'up') return { tone: 'bad', text: `The body does not answer (link ${state.mcu.link}).` };
  if (drive.phase === 'barred') return { tone: 'warn', text: 'Let go, then press again.' };
  if (drive.phase === 'waiting') return { tone: 'warn', text: 'The picture is old: nothing is sent until it is fresh.' };
  if (holding('base') === 'theirs') return { act: 'take', button: 'Take over', text: `${who(state.control.base)} drives.` };
  const reason = SLOWED[state.envelope?.reason];
  return reason && { text: `Slower for now: ${reason}.` };
}

function showBanner() {
  const now = obstacle();
  $('banner').hidden = !now;
  if (!now) return;
  $('banner').dataset.tone = now.tone || '';
  put('banner-text', now.text);
  const button = $('banner-button');
  button.hidden = !now.act;
  button.dataset.act = now.act ?? '';
  if (now.act) put('banner-button', now.button);
}

function vital(id, text, tone, title = '') {
  put(id, text);
  Object.assign($(id).parentElement, { title }).dataset.tone = tone;
}

function showVitals(state) {
  const { velocity } = state.base;
  put('speed', Math.abs(velocity.linear_mps).toFixed(2));
  const turn = degrees(velocity.angular_radps);
  put('turn', Math.abs(turn) < 2 ? 'straight' : `${Math.abs(turn)}°/s ${turn > 0 ? 'left' : 'right'}`);
  const { battery, mcu } = state;
  const up = mcu.link === 'up';
  vital('battery', `${Math.round(battery.percent)} %`, battery.percent < 10 ? 'bad' : battery.percent < 20 ? 'warn' : '', `${battery.voltage_v.toFixed(1)} V`);
  vital('link', up ? `${(mcu.rtt_us / 1000).toFixed(1)} ms` : mcu.link, up ? '' : 'bad',
    `Body: ${mcu.state}, ${mcu.armed ? 'armed' : 'not armed'}, firmware ${mcu.firmware}, ${mcu.frames_lost} frames lost`);
  put('name', state.robot);
}

function showAge() {
  const age = shownAge();
  vital('age', age < 300 ? 'live' : Number.isFinite(age) ? `${span(age)} old` : 'none', age < 300 ? '' : age < 1000 ? 'warn' : 'bad');
}

function showHolder(state) {
  for (const resource of ['base', 'head']) {
    const { closed } = state[resource];
    const hold = holding(resource);
    const lease = state.control[resource];
    const [you, they, nobody] = resource === 'base' ? ['drive', 'drives', ': touch to drive'] : ['move it', 'moves it', ''];
    put(`${resource}-who`, closed ? 'Closed' : hold === 'free' ? `Free${nobody}` : hold === 'mine' ? `You ${you}` : `${who(lease)} ${they}`);
    put(`${resource}-take`, closed ? 'Take and open' : hold === 'theirs' ? 'Take over' : 'Take');
    $(`${resource}-release`).hidden = hold !== 'mine';
    $(`${resource}-take`).hidden = hold === 'mine' && !closed;
  }
}

function showLimit() {
  const { linear, angular } = limits();
  put('limit-text', `${linear.toFixed(2)} m/s · ${degrees(angular)}°/s`);
  $('limit').ariaValueText = `${linear.toFixed(2)} metres a second`;
}

function refresh() {
  Object.assign(document.body.dataset, { phase: drive.phase, contact: robot.contact });
  showBanner();
  showAge();
  if (!robot.state) return;
  document.body.dataset.base = robot.state.estop.latched ? 'latched' : robot.state.base.closed ? 'closed' : 'open';
  showHolder(robot.state);
  showLimit();
}

/** `acts`: what the banner's button may do: {take, reset}. */
export function startPanel(acts) {
  $('banner-button').onclick = () => acts[$('banner-button').dataset.act]?.();
  $('limit').oninput = ({ target }) => {
    drive.share = target.value / 100;
    showLimit();
  };
  onState((state) => {
    if (state) showVitals(state);
    refresh();
  });
  on('change', refresh);
  on('hint', (text) => say({ text, bad: true }));
  setInterval(refresh, 200);
  const card = $('why');
  const show = () => card.open && robot.contact === 'live' && import('./why.js').then((why) => why.showWhy(), () => {});
  card.ontoggle = show;
  setInterval(() => document.hidden || show(), 2000);
}
