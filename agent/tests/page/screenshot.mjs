// Makes the README's pictures of the page: a robot that was driven a little, so that its path and rays are there, then the same
// robot spoken with, and its memory.
// Usage: npm run screenshot (needs the agent built, and pngquant for small files if there is one).

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { launch, openPage, startRobot, until } from './robot.mjs';

const fileOf = (name) => new URL(`../../src/page/${name}.png`, import.meta.url).pathname;
/** Key, and what must be true of the pose before it is let go. */
const WAY = [
  ['ArrowUp', ({ x_m }) => x_m > 0.7],
  ['ArrowLeft', ({ heading_rad }) => heading_rad > 0.9],
  ['ArrowUp', ({ y_m }) => y_m > 0.4],
  ['ArrowRight', ({ heading_rad }) => heading_rad < 0.3],
];
const SAID = ['Turn left 30 degrees', 'Go forward 10 metres', 'Remember that my keys are on the hook by the door', 'Where are my keys?'];
/** So that all of it is seen at once. */
const TALL = { width: 1000, height: 1120 };
const NOTES = [
  { content: 'Anna comes on Friday and likes green tea', tags: ['anna', 'tea'], priority: 80 },
  { content: 'The plants in the kitchen want water twice a week', tags: ['home'], priority: 40 },
];
const QUESTION = 'what does Anna like?';

async function drive(robot, page) {
  await page.getByLabel('Amber').click();
  await page.locator('#pan').fill('-20');
  // Arrow keys belong to a slider as long as it has the focus.
  await page.locator('#pan').blur();
  for (const [key, done] of WAY) {
    await page.keyboard.down(key);
    await until(`the way with ${key}`, async () => done((await robot.state()).base.pose), 20_000);
    await page.keyboard.up(key);
  }
  await page.keyboard.down('ArrowUp');
  await until('it moves', async () => (await robot.state()).base.velocity.linear_mps > 0.1);
  await page.locator('#banner').waitFor({ state: 'hidden', timeout: 10_000 });
  await page.locator('#side').evaluate((side) => { side.scrollTop = 0; });
  await page.screenshot({ path: fileOf('screenshot') });
  await page.keyboard.up('ArrowUp');
  await until('it stands', robot.standing);
}

async function talk(page) {
  const before = page.viewportSize();
  await page.setViewportSize(TALL);
  await page.getByRole('link', { name: 'Chat' }).click();
  await until('something can be said', () => page.getByRole('button', { name: 'Send', exact: true }).isEnabled());
  for (const [index, words] of SAID.entries()) {
    await page.getByLabel('Message', { exact: true }).fill(words);
    await page.keyboard.press('Enter');
    await until(`an answer to "${words}"`, async () => (await page.locator('.said').count()) === 2 * index + 2 && (await page.locator('.waiting').count()) === 0, 15_000);
  }
  await page.locator('summary', { hasText: 'source' }).click();
  await page.locator('#banner').waitFor({ state: 'hidden', timeout: 10_000 });
  await page.locator('.talk').evaluate((log) => { log.scrollTop = 0; });
  await page.screenshot({ path: fileOf('screenshot-chat') });
  await page.setViewportSize(before);
}

async function remember(robot, page) {
  for (const note of NOTES) await robot.ask('POST', 'sticky-notes/', note);
  await page.getByRole('link', { name: 'Memory' }).click();
  await page.getByLabel('What shall be found?').fill(QUESTION);
  await page.locator('#memory .hit').first().waitFor();
  await page.locator('#memory .surfaced > li').first().waitFor();
  await page.screenshot({ path: fileOf('screenshot-memory') });
}

const ends = [];
const t = { after: (end) => ends.push(end) };
try {
  const browser = await launch();
  ends.push(() => browser.close());
  const robot = await startRobot(t);
  const { page } = await openPage(t, browser, robot, { colorScheme: 'light' });
  await drive(robot, page);
  await talk(page);
  await remember(robot, page);
} finally {
  for (const end of ends.reverse()) await end();
}
for (const file of ['screenshot', 'screenshot-chat', 'screenshot-memory'].map(fileOf)) {
  try {
    execFileSync('pngquant', ['--force', '--output', file, '128', file]);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  console.log(`${file}: ${Math.round(statSync(file).size / 1024)} KiB`);
}
