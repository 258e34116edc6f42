// Stop, e-stop and its reset. Both stops go every way there is (driving socket and POST) and are sent again until the
// robot answers; nothing else is asked first. A reset needs a person's second press, and moves and opens nothing.

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

/** Ends all motion; base and head stay closed until a person takes them. Answers with a sentence. */
export async function stop() {
  shout({ stop: true });
  const sent = insist('stop', {});
  dropAll();
  const answer = await sent;
  if (!answer.ok) return { bad: true, text: `Stop was not confirmed: ${answer.detail}` };
  return { text: answer.body.confirmed_by_mcu === false ? 'Stopped. The body has not confirmed it yet.' : 'Stopped. The body confirms it.' };
}

/** Latches the e-stop. Answers with a sentence. */
export async function estop() {
  shout({ estop: true });
  const sent = insist('estop', { reason: 'pressed on the page' });
  dropAll();
  const answer = await sent;
  if (!answer.ok) return { bad: true, text: `E-stop was not confirmed: ${answer.detail}` };
  const kept = answer.body.durable === false ? ' It could not be written to disk yet.' : '';
  return { text: `E-stop ${answer.body.epoch ?? ''} is latched.${kept}` };
}

/** Wires the reset's question. `tell` shows how it went. */
export function startReset(dialog, tell) {
  let epoch = 0;
  let opener = null;
  const close = () => {
    dialog.close();
    opener?.focus();
  };

  dialog.querySelector('.cancel').addEventListener('click', close);
  dialog.addEventListener('keydown', (event) => event.key === 'Escape' && close());
  dialog.querySelector('.confirm').addEventListener('click', async () => {
    close();
    const answer = await call('POST', 'estop/reset', { epoch });
    tell(answer.ok
      ? { text: 'E-stop reset. Base and head stay closed until someone takes them.' }
      : { bad: true, text: `Not reset: ${answer.detail}` });
  });

  return () => {
    const latch = robot.state?.estop;
    if (!latch?.latched) return;
    epoch = latch.epoch;
    opener = document.activeElement;
    dialog.querySelectorAll('.epoch').forEach((node) => (node.textContent = epoch));
    dialog.querySelector('.reason').textContent = latch.reason || 'no reason given';
    // Not modal: stop and e-stop stay in reach.
    if (!dialog.open) dialog.show();
    dialog.querySelector('.cancel').focus();
  };
}
