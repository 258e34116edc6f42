// The keyboard: arrows or WASD drive while held, space stops, e is the e-stop, t takes, r asks for a reset.
// Space is stop everywhere but in a text (Enter presses buttons). A repeat starts nothing.

import { drive, hold, letGo, on } from './drive.js';

const DRIVE = {
  ArrowUp: [1, 0], KeyW: [1, 0], ArrowDown: [-1, 0], KeyS: [-1, 0],
  ArrowLeft: [0, 1], KeyA: [0, 1], ArrowRight: [0, -1], KeyD: [0, -1],
};

export function startKeys({ stop, estop, take, reset }) {
  const down = new Set();

  const steer = () => {
    if (down.size === 0) return letGo('keys');
    let forward = 0;
    let left = 0;
    for (const code of down) {
      forward += DRIVE[code][0];
      left += DRIVE[code][1];
    }
    hold('keys', Math.sign(forward), Math.sign(left), { atOnce: true });
  };

  const clear = () => {
    down.clear();
    letGo('keys');
  };

  const press = (event, act) => {
    event.preventDefault();
    if (!event.repeat) act();
  };

  addEventListener('keydown', (event) => {
    const field = event.target.closest?.('input, textarea');
    if (event.ctrlKey || event.metaKey || event.altKey) return clear(); // the release may go to another window
    if (/text|search|password/.test(field?.type)) return;
    if (event.code === 'Space') return press(event, stop);
    const key = event.key.toLowerCase();
    if (key === 'e') return press(event, estop);
    if (drive.away) return;
    const act = { t: take, r: reset }[key];
    if (act) return press(event, act);
    // A field keeps the keys that change it.
    if (!DRIVE[event.code] || (field && (field.type === 'number' || event.code.startsWith('Arrow')))) return;
    press(event, () => {
      down.add(event.code);
      steer();
    });
  });
  // A button under the focus reacts to the release of space, after it was prevented above.
  addEventListener('keyup', (event) => {
    if (event.code === 'Space' && event.target.matches?.('button')) event.preventDefault();
    if (down.delete(event.code)) steer();
  });
  on('halt', () => down.clear());
}
