// Presses an arrow key in the page and tells when: {"down_us", "up_us"} a line, CLOCK_MONOTONIC.
// Usage: keypress.mjs FOLDER_WITH_PLAYWRIGHT CHROMIUM PRESSES URL

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, executablePath, presses, url] = process.argv.slice(2);
const { chromium } = createRequire(`${folder}/package.json`)('playwright-core');

// Node's clock is CLOCK_MONOTONIC, as the trace's.
const nowUs = () => Number(process.hrtime.bigint() / 1000n);

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  await page.goto(url);
  const isLive = () => page.evaluate(async () => (await import('/page/state.js')).robot.contact === 'live');
  while (!(await isLive())) await sleep(20);
  await page.locator('body').click({ position: { x: 2, y: 2 } });
  for (let count = 0; count <= Number(presses); count++) {
    // What a busy machine closed, a person opens.
    const isClosed = await page.evaluate(async () => (await import('/page/state.js')).robot.state.base.closed !== null);
    if (isClosed) {
      await page.keyboard.press('t');
      await sleep(500);
    }
    const downUs = nowUs();
    await page.keyboard.down('ArrowLeft');
    await sleep(150 + Math.random() * 100);
    const upUs = nowUs();
    await page.keyboard.up('ArrowLeft');
    await sleep(300 + Math.random() * 50);
    // The first press opens the driving socket; a person who drives has it open.
    if (count > 0) console.log(JSON.stringify({ down_us: downUs, up_us: upUs }));
  }
} finally {
  await browser.close();
}
