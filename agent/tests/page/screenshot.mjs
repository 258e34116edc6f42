// Makes the README's picture of the page: a robot that was driven a little, so that its path and rays are there.
// Usage: npm run screenshot (needs the agent built, and pngquant for a small file if there is one).

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { launch, openPage, startRobot, until } from './robot.mjs';

const FILE = new URL('../../src/page/screenshot.png', import.meta.url).pathname;
/** Key, and what must be true of the pose before it is let go. */
const WAY = [
  ['ArrowUp', ({ x_m }) => x_m > 0.7],
  ['ArrowLeft', ({ heading_rad }) => heading_rad > 0.9],
  ['ArrowUp', ({ y_m }) => y_m > 0.4],
  ['ArrowRight', ({ heading_rad }) => heading_rad < 0.3],
];

const ends = [];
const t = { after: (end) => ends.push(end) };
try {
  const browser = await launch();
  ends.push(() => browser.close());
  const robot = await startRobot(t);
  const { page } = await openPage(t, browser, robot, { colorScheme: 'light' });
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
  await page.screenshot({ path: FILE });
} finally {
  for (const end of ends.reverse()) await end();
}
try {
  execFileSync('pngquant', ['--force', '--output', FILE, '128', FILE]);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
console.log(`${FILE}: ${Math.round(statSync(FILE).size / 1024)} KiB`);
