// What people see and reach: keyboard alone, a phone, light and dark, head and lights, the API's documentation.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { launch, openPage, robotTest, startRobot, until } from './robot.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

robotTest('every control is reached by Tab and shows that it is', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot);
  const wanted = await page.evaluate(() => [...document.querySelectorAll('button, input, summary, a, #pad')]
    .filter((node) => node.checkVisibility())
    .map((node, index) => (node.dataset.test = `${index} ${node.id || node.ariaLabel || node.textContent}`)));
  assert.ok(wanted.length > 20, `controls: ${wanted.length}`);
  const reached = new Set();
  for (let count = 0; count < wanted.length + 2; count++) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const node = document.activeElement;
      const style = getComputedStyle(node);
      const box = node.getBoundingClientRect();
      const seen = box.top >= 0 && box.bottom <= innerHeight;
      return { name: node.dataset.test, shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, seen };
    });
    if (!focus.name) continue;
    reached.add(focus.name);
    assert.ok(focus.shown && focus.seen, `focus is not visible on ${focus.name}`);
  }
  assert.deepEqual(wanted.filter((name) => !reached.has(name)), []);
  assert.equal([...reached][0], wanted[0], 'stop comes first');
  assert.match(wanted[0], /stop/);
  check();
});

for (const [name, options] of Object.entries({
  'phone-light': { viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true, isMobile: true },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
  'phone-wide': { viewport: { width: 844, height: 390 }, colorScheme: 'light', hasTouch: true, isMobile: true },
  'desk-light': { viewport: { width: 1280, height: 820 }, colorScheme: 'light' },
  'desk-dark': { viewport: { width: 1280, height: 820 }, colorScheme: 'dark' },
})) {
  robotTest(`${name}: nothing is wider than the screen, and the stops are in reach wherever one scrolls`, async (t) => {
    const robot = await startRobot(t);
    const { page, check } = await openPage(t, browser, robot, options);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= options.viewport.width, `${width} px wide`);
    for (const where of [0, 100_000]) {
      await page.evaluate((y) => scrollTo(0, y), where);
      for (const id of ['stop', 'estop']) {
        const onTop = await page.evaluate((wanted) => {
          const box = document.getElementById(wanted).getBoundingClientRect();
          return box.height >= 44 && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest('button')?.id === wanted;
        }, id);
        assert.ok(onTop, `${id} is covered`);
      }
    }
    const cut = await page.evaluate(() => [...document.querySelectorAll('button, dd, .holder, output, label')]
      .filter((node) => node.checkVisibility() && !node.closest('.unseen') && node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0)
      .map((node) => node.id || node.textContent));
    assert.deepEqual(cut, [], 'texts that are cut off');
    if (process.env.SHOTS) {
      await mkdir(process.env.SHOTS, { recursive: true });
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
    }
    check();
  });
}

robotTest('dark is dark', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.notEqual(await paper(), light);
  check();
});

robotTest('head and lights do what their controls say', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot);
  await page.locator('#pan').fill('-30');
  await until('the head looks left', async () => (await robot.state()).head.pan_rad > 0.4);
  await page.locator('#centre').click();
  await until('the head looks ahead', async () => Math.abs((await robot.state()).head.pan_rad) < 0.05);
  await page.getByLabel('Green').click();
  await until('the lights are green', async () => {
    const { on, color } = (await robot.state()).lights;
    return on && color === '#35d07f';
  });
  await page.getByText('Switch off').click();
  await until('the lights are off', async () => !(await robot.state()).lights.on);
  check();
});

robotTest('the documentation opens and lists the routes', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot, { url: `${robot.origin}/docs`, live: false });
  await page.getByText('/api/robot/velocity', { exact: true }).first().waitFor();
  check();
});
