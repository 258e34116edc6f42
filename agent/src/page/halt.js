// Stop, e-stop and its reset. Both stops go by socket and by POST, again until the robot answers; nothing is asked
// first. A reset needs a person's second press, and moves and opens nothing.

import { call } from './api.js';
import { dropAll } from './drive.js';
import { robot } from './state.js';
import { shout } from './teleop.js';

const TRIES = 6;
const GAP_MS = 300;

async function insist(path, body) {
  for (let count = 1; ; count++) {
    const answer = await call('POST', path, body, { keepalive: true, timeoutMs: 1500 });
    // Any answer of the robot means that it acted: nothing refuses a stop.
    if (answer.ok || (answer.status > 0 && answer.status < 500) || count === TRIES) return answer;
    await new Promise((done) => setTimeout(done, GAP_MS));
  }
}

async function press(path, body, name, told) {
  shout({ [path]: true });
  const sent = insist(path, body);
  dropAll({ zero: false });
  const answer = await sent;
  return answer.ok ? { text: told(answer.body) } : { bad: true, text: `${name} was not confirmed: ${answer.detail}` };
}

/** Ends all motion; base and head stay closed until a person takes them. Answers with a sentence. */
export const stop = () => press('stop', {}, 'Stop', ({ confirmed_by_mcu }) =>
  `Stopped. The body ${confirmed_by_mcu ? 'confirms it' : 'has not confirmed it yet'}.`);

/** Latches the e-stop. Answers with a sentence. */
export const estop = () => press('estop', { reason: 'pressed on the page' }, 'E-stop', ({ epoch, durable }) =>
  `E-stop ${epoch} is latched.${durable ? '' : ' It could not be written to disk yet.'}`);

/** Wires the reset's question. `tell` shows how it went. */
export function startReset(dialog, tell) {
  const [leave, confirm] = dialog.querySelectorAll('button');
  let epoch = 0;
  let opener = null;
  const close = () => {
    dialog.close();
    opener?.focus();
  };

  leave.onclick = close;
  dialog.onkeydown = ({ key }) => {
    if (key === 'Escape') close();
  };
  confirm.onclick = async () => {
    close();
    const answer = await call('POST', 'estop/reset', { epoch });
    tell(answer.ok
      ? { text: 'E-stop reset. Base and head stay closed until someone takes them.' }
      : { bad: true, text: `Not reset: ${answer.detail}` });
  };

  return () => {
    const latch = robot.state?.estop;
    if (!latch?.latched) return;
    epoch = latch.epoch;
    opener = document.activeElement;
    dialog.querySelectorAll('.epoch').forEach((node) => (node.textContent = epoch));
    dialog.querySelector('.reason').textContent = latch.reason || 'no reason given';
    // Not modal: stop and e-stop stay in reach.
    if (!dialog.open) dialog.show();
    leave.focus();
  };
}
