// The stick on the screen, for touch, pen and mouse. Never keeps a deflection that no pointer holds.

import { hold, letGo, on } from './drive.js';

/** Below this share of the radius the stick is at rest. */
const DEAD = 0.08;

export function startPad(pad) {
  const knob = pad.querySelector('.knob');
  let pointer = null;

  const place = (x, y) => {
    knob.style.transform = `translate(${x}px, ${y}px)`;
  };

  const drop = () => {
    pointer = null;
    pad.classList.remove('held');
    place(0, 0);
  };

  const steer = (event, atOnce) => {
    const box = pad.getBoundingClientRect();
    const radius = box.width / 2 - knob.offsetWidth / 2;
    const x = event.clientX - box.left - box.width / 2;
    const y = event.clientY - box.top - box.height / 2;
    const share = 1 / Math.max(radius, Math.hypot(x, y));
    place(x * share * radius, y * share * radius);
    const soft = (value) => (Math.abs(value) < DEAD ? 0 : -value);
    hold('pad', soft(y * share), soft(x * share), { atOnce });
  };

  pad.onpointerdown = (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    pad.classList.add('held');
    steer(event, true);
  };
  pad.onpointermove = (event) => {
    if (event.pointerId === pointer) steer(event, false);
  };
  pad.onpointerup = pad.onpointercancel = pad.onlostpointercapture = (event) => {
    if (event.pointerId !== pointer) return;
    drop();
    letGo('pad');
  };
  pad.oncontextmenu = (event) => event.preventDefault();
  on('halt', drop);
}
