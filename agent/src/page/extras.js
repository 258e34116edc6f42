// Head, lights and measured moves. Each press is one request; of a slider only the newest position is sent,
// one request at a time. A move goes on without the page: cancel and stop end it.

import { call } from './api.js';
import { limits } from './drive.js';
import { newestSeen, onState, robot } from './state.js';
import { degrees, side } from './words.js';

const POLL_MS = 200;
const $ = (id) => document.getElementById(id);

/** Sends the newest value only, never two requests at once. */
function newestOnly(send) {
  let next;
  let busy = false;
  return async (value) => {
    next = value;
    if (busy) return;
    busy = true;
    while (next !== undefined) {
      const now = next;
      next = undefined;
      await send(now);
      await new Promise((done) => setTimeout(done, 80));
    }
    busy = false;
  };
}

export function startHead(say) {
  const pan = $('pan');
  const tilt = $('tilt');
  const eyes = $('eyes');
  const send = newestOnly(async (goal) => {
    const answer = await call('POST', 'head', { ...goal, seen: newestSeen() });
    if (answer.ok) return;
    say({ text: answer.detail, bad: true });
    const slider = { pan_rad: pan, tilt_rad: tilt }[answer.facts.field];
    if (slider && answer.facts.max > 0) { // the body's own limit
      slider.max = Math.floor(degrees(answer.facts.max));
      slider.min = -slider.max;
    }
  });
  const radians = (value) => (value * Math.PI) / 180;
  const words = () => {
    pan.setAttribute('aria-valuetext', side(radians(-pan.value)));
    tilt.setAttribute('aria-valuetext', side(radians(tilt.value), 'up', 'down', 'level'));
  };
  const move = () => {
    words();
    // The slider's left is the robot's left, which is positive.
    send({ pan_rad: radians(-pan.value), tilt_rad: radians(tilt.value) });
  };
  pan.addEventListener('input', move);
  tilt.addEventListener('input', move);
  $('centre').addEventListener('click', () => {
    pan.value = tilt.value = 0;
    move();
  });
  let first = true;
  onState((state) => {
    if (!state?.head) return;
    const { pan_rad, tilt_rad } = state.head;
    eyes.style.transform = `translate(${-pan_rad * 9}px, ${-tilt_rad * 9}px)`;
    if (first) {
      pan.value = -degrees(pan_rad);
      tilt.value = degrees(tilt_rad);
      first = false;
    }
    words();
  });
}

export function startLights(say) {
  const power = $('light-on');
  const brightness = $('brightness');
  const colour = $('colour');
  const send = newestOnly(async (change) => {
    const answer = await call('POST', 'lights', change);
    if (!answer.ok) say({ text: answer.detail, bad: true });
  });
  power.addEventListener('click', () => send({ on: power.getAttribute('aria-checked') !== 'true' }));
  brightness.addEventListener('input', () => send({ on: true, brightness: brightness.value / 100 }));
  colour.addEventListener('input', () => send({ on: true, color: colour.value }));
  for (const swatch of document.querySelectorAll('[data-colour]')) {
    swatch.style.background = swatch.dataset.colour;
    swatch.addEventListener('click', () => send({ on: true, color: swatch.dataset.colour }));
  }
  onState((state) => {
    if (!state?.lights) return;
    const { on, color, brightness: level } = state.lights;
    power.setAttribute('aria-checked', String(on));
    if (document.activeElement !== colour) colour.value = color;
    if (document.activeElement !== brightness) brightness.value = Math.round(level * 100);
    document.body.style.setProperty('--glow', on ? color : 'transparent');
  });
}

export function startMoves(say) {
  const card = $('task');
  const bar = $('progress');
  let task = null;

  async function follow(id) {
    task = id;
    card.hidden = false;
    for (let fails = 0; task === id && fails < 10;) {
      const answer = await call('GET', `tasks/${id}`, undefined, { timeoutMs: 1000 });
      if (answer.status === 404) break;
      fails = answer.ok ? 0 : fails + 1;
      if (answer.ok) {
        bar.value = answer.body.progress;
        if (answer.body.state !== 'running') {
          const { state, reason } = answer.body;
          if (task === id) say({ text: state === 'done' ? 'Arrived.' : `Move ${state}${reason ? `: ${reason}` : ''}.`, bad: state === 'failed' });
          break;
        }
      }
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
    if (task !== id) return;
    task = null;
    card.hidden = true;
  }

  async function go(travel) {
    const { linear, angular } = limits();
    const speed = 'distance_m' in travel ? { speed_mps: linear } : { speed_radps: angular };
    if (Object.values(speed)[0] <= 0) return say({ text: 'The robot allows no speed now.', bad: true });
    const answer = await call('POST', 'move', { ...travel, ...speed, seen: newestSeen() });
    if (!answer.ok) return say({ text: answer.detail, bad: true });
    bar.value = 0;
    follow(answer.body.task);
  }

  for (const button of document.querySelectorAll('[data-go]')) {
    button.addEventListener('click', () => {
      const sign = Number(button.dataset.sign);
      go(button.dataset.go === 'straight'
        ? { distance_m: sign * Number($('distance').value) }
        : { angle_rad: (sign * Number($('angle').value) * Math.PI) / 180 });
    });
  }
  $('cancel').addEventListener('click', async () => {
    const answer = task ? await call('DELETE', `tasks/${task}`) : { ok: true };
    if (!answer.ok) say({ text: answer.detail, bad: true });
  });
}
