// Who answers what the reflexes pass on: shown without a cloud, and with one whose model answers, fails and answers again.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { missing, startCloud, startModel } from './cloud.mjs';
import { launch, openPage, robotTest, startRobot, until } from './robot.mjs';

const ANSWER_MS = 15_000;
const TIMEOUT_MS = 240_000;
const lacking = missing();
// What people may leave out on their own machine is a failure where everything must run.
const skip = process.env.CI === 'true' ? false : lacking ?? false;
const WORDS = 'They do it with their larynx. Nobody knows exactly why.';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** A robot's page with the chat open, and the list of who answers in it. */
async function talking(t, robot) {
  const person = await openPage(t, browser, robot, { url: `${robot.origin}/?token=${robot.token}#chat` });
  const { page } = person;
  const field = page.getByLabel('Message', { exact: true });
  const list = page.locator('.tiers');
  const last = page.locator('.said:not(.mine)').last();
  await until('something can be said', () => page.getByRole('button', { name: 'Send', exact: true }).isEnabled());
  await list.locator('summary').click();
  return Object.assign(person, {
    last,
    tier: (name) => list.locator(`[data-tier=${name}]`),
    async say(words) {
      const count = await page.locator('.said').count();
      await field.fill(words);
      await field.press('Enter');
      await until(`an answer to "${words}"`, async () => (await page.locator('.said').count()) === count + 2 && (await page.locator('.waiting').count()) === 0, ANSWER_MS);
      return last.locator('.bubble > .words').innerText();
    },
  });
}

robotTest('without a cloud the page says what would set one up', async (t) => {
  const { tier, check } = await talking(t, await startRobot(t));
  assert.match(await tier('reflex').innerText(), /by rules[^]*answers/);
  assert.match(await tier('cloud').innerText(), /the cloud[^]*not set up[^]*robbie-agent pair/);
  check();
});

robotTest('a model answers through the cloud, and who answers, how fast and how often is shown', async (t) => {
  assert.equal(lacking, null);
  const model = await startModel(t);
  await model.tell({ script: [{ text: WORDS }], between_ms: 30 });
  const cloud = await startCloud(t, model.environment);
  const robot = await startRobot(t);
  await robot.command('pair', await (await cloud.town()).code(), '--cloud', cloud.line.url);
  const { say, tier, last, check } = await talking(t, robot);
  await until('the cloud to be asked', async () => (await say('why do cats purr?')) === WORDS, TIMEOUT_MS / 2);
  assert.match(await last.locator('.bubble > .meta').innerText(), /the cloud[^]*ms/);
  await until('the list to tell', async () => /answers[^]*[1-9]\d* answered/.test(await tier('cloud').innerText()));
  // In the middle of its answer it breaks off, and nobody else is there: what was said stays, and why it ends is said.
  await model.tell({ fault: { kind: 'cut', after: 8 } });
  assert.match(await say('why do cats purr so long?'), /^They do it with their larynx\. I lost my train of thought/);
  assert.match(await say('what is your battery?'), /battery is at/);
  check();
}, { timeout: TIMEOUT_MS, skip });
