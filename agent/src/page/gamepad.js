// A game controller: left stick drives, B stops, Back is the e-stop. Never starts from a stick that was
// already pushed when the controller, the page or the connection came back.

import { drive, hold, letGo, on } from './drive.js';

const DEAD = 0.15;
const STOP_BUTTON = 1;
const ESTOP_BUTTON = 8;

export function startGamepad({ stop, estop, show }) {
  let rest = false; // the stick was seen at rest
  let running = false;
  const was = {};

  const pressed = (pad, button, act) => {
    const now = pad.buttons[button]?.pressed ?? false;
    if (now && !was[button]) act();
    was[button] = now;
  };

  const drop = () => {
    rest = false;
    letGo('gamepad');
  };

  const look = () => {
    const pad = navigator.getGamepads().find((one) => one?.connected);
    running = Boolean(pad);
    show(running);
    if (!pad) return drop();
    requestAnimationFrame(look);
    if (document.hidden) return;
    pressed(pad, STOP_BUTTON, stop);
    pressed(pad, ESTOP_BUTTON, estop);
    if (drive.away) return;
    const soft = (value) => (Math.abs(value) < DEAD ? 0 : -value);
    const left = soft(pad.axes[0]);
    const forward = soft(pad.axes[1]);
    if (left === 0 && forward === 0) {
      rest = true;
      letGo('gamepad');
    } else if (rest) hold('gamepad', forward, left);
  };

  addEventListener('gamepadconnected', () => !running && look());
  addEventListener('gamepaddisconnected', drop);
  on('halt', () => {
    rest = false;
  });
}
