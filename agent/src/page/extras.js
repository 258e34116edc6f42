// Head, lights and measured moves. Each press is one request; of a slider only the newest position is sent,
// one request at a time. A move never goes on while nobody looks: what ends driving ends it too.

import { call } from './api.js';
import { limits, on } from './drive.js';
import { newestSeen, onState, robot } from './state.js';
import { $, degrees, radians, side } from './words.js';

const POLL_MS = 200;
const COLOURS = {
  'Warm white': '#ffd9a0', Red: '#ff5a4d', Amber: '#ffb020', Green: '#35d07f', Blue: '#2fa8ff', Violet: '#b07cff',
};

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
    const slider = { pan_rad: pan, tilt_rad: tilt }[answer.body.field];
    if (slider && answer.body.max > 0) { // the body's own limit
      slider.max = Math.floor(degrees(answer.body.max));
      slider.min = -slider.max;
    }
  });
  const words = () => {
    pan.ariaValueText = side(radians(-pan.value));
    tilt.ariaValueText = side(radians(tilt.value), 'up', 'down', 'level');
  };
  const move = () => {
    words();
    // The slider's left is the robot's left, which is positive.
    send({ pan_rad: radians(-pan.value), tilt_rad: radians(tilt.value) });
  };
  pan.oninput = move;
  tilt.oninput = move;
  $('centre').onclick = () => {
    pan.value = tilt.value = 0;
    move();
  };
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
  power.onclick = () => send({ on: !robot.state?.lights.on });
  brightness.oninput = () => send({ on: true, brightness: brightness.value / 100 });
  colour.oninput = () => send({ on: true, color: colour.value });
  for (const [name, color] of Object.entries(COLOURS)) {
    const swatch = document.createElement('button');
    swatch.ariaLabel = name;
    swatch.style.background = color;
    swatch.onclick = () => send({ on: true, color });
    colour.before(swatch);
  }
  onState((state) => {
    if (!state?.lights) return;
    const { on, color, brightness: level } = state.lights;
    power.textContent = on ? 'Switch off' : 'Switch on';
    if (document.activeElement !== colour) colour.value = color;
    if (document.activeElement !== brightness) brightness.value = Math.round(level * 100);
  });
}

export function startMoves(say) {
  const card = $('task');
  const bar = $('progress');
  let task = null;
  let halts = 0;

  async function follow(id) {
    task = id;
    card.hidden = false;
    for (let fails = 0; task === id && fails < 10;) {
      const answer = await call('GET', `tasks/${id}`, undefined, { timeoutMs: 1000 });
      if (answer.status === 404) break;
      fails = answer.ok ? 0 : fails + 1;
      if (answer.ok) {
        const { progress, state, reason } = answer.body;
        bar.value = progress;
        if (state !== 'running') {
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
    const before = halts;
    const answer = await call('POST', 'move', { ...travel, ...speed, seen: newestSeen() });
    if (!answer.ok) return say({ text: answer.detail, bad: true });
    bar.value = 0;
    follow(answer.body.task);
    // Nobody looks any more.
    if (halts !== before) cancel();
  }

  for (const sign of [1, -1]) {
    $(sign > 0 ? 'ahead' : 'back').onclick = () => go({ distance_m: sign * $('distance').value });
    $(sign > 0 ? 'left' : 'right').onclick = () => go({ angle_rad: radians(sign * $('angle').value) });
  }
  const cancel = () => {
    halts += 1;
    if (task) call('DELETE', `tasks/${task}`, undefined, { keepalive: true });
  };
  $('cancel').onclick = cancel;
  on('halt', cancel);
  onState(() => robot.contact === 'lost' && cancel());
}
