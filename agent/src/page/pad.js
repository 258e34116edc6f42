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
    let x = event.clientX - box.left - box.width / 2;
    let y = event.clientY - box.top - box.height / 2;
    const far = Math.hypot(x, y);
    if (far > radius) {
      x *= radius / far;
      y *= radius / far;
    }
    place(x, y);
    const soft = (value) => (Math.abs(value) < DEAD ? 0 : value);
    hold('pad', soft(-y / radius), soft(-x / radius), { atOnce });
  };

  pad.addEventListener('pointerdown', (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    pad.classList.add('held');
    steer(event, true);
  });
  pad.addEventListener('pointermove', (event) => event.pointerId === pointer && steer(event, false));
  for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) {
    pad.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      drop();
      letGo('pad');
    });
  }
  pad.addEventListener('contextmenu', (event) => event.preventDefault());
  on('halt', drop);
}
