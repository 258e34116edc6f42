// Stop and e-stop, opening again, and two people.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { banner, launch, openPage, robotTest, sleep, startRobot, until } from './robot.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());
const ANSWERED_409 = /status of 409/;

robotTest('space stops everybody, the page says who closed what, and its button opens', async (t) => {
  const robot = await startRobot(t);
  const { page, check, frames } = await openPage(t, browser, robot);
  await page.keyboard.down('ArrowUp');
  await until('the robot moves', robot.moving);
  await page.keyboard.press('Space');
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await until('the robot stands', robot.standing);
  assert.deepEqual(frames.at(-1), { stop: true }, 'nothing follows a stop');
  await until('the page says so', async () => /Stopped\. The body confirms it/.test(await banner(page)));
  await until('and why it is closed', async () => /Closed .*: stop was pressed by owner/.test(await banner(page)), 9000);
  assert.equal(await page.locator('#base-who').innerText(), 'Closed');
  await page.keyboard.up('ArrowUp');
  await page.locator('#banner-button').click();
  await until('the base is open', async () => (await robot.state()).base.closed === null);
  await page.keyboard.down('ArrowUp');
  await until('it drives again', robot.moving);
  await page.keyboard.up('ArrowUp');
  await page.locator('#base-release').click();
  await until('the base is free', async () => (await robot.state()).control.base === null);
  check();
});

robotTest('a stop acts when the finger goes down, wherever it goes up', async (t) => {
  const robot = await startRobot(t);
  const { page, check, calls } = await openPage(t, browser, robot);
  const box = await page.locator('#stop').boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await page.mouse.move(10, 10);
  await page.mouse.up();
  // Enter on the button is a stop as well.
  await robot.call('POST', 'leases', { resource: 'base' });
  await until('the base is open', async () => (await robot.state()).base.closed === null);
  await until('the first press is over', async () => (await page.evaluate(() => performance.now())) > 1500);
  await page.locator('#stop').focus();
  await page.keyboard.press('Enter');
  await until('the base is closed again', async () => (await robot.state()).base.closed?.by === 'stop');
  assert.equal(calls.filter((call) => call.endsWith('/stop')).length, 2, 'one press is one stop');
  check();
});

robotTest('the e-stop latches, and its reset asks first and opens nothing', async (t) => {
  const robot = await startRobot(t);
  const { page, check, calls } = await openPage(t, browser, robot);
  const latched = async () => (await robot.state()).estop.latched;
  await page.keyboard.down('ArrowUp');
  await until('the robot moves', robot.moving);
  await page.keyboard.press('e');
  await until('it is latched', latched);
  await until('the robot stands', robot.standing);
  await page.keyboard.up('ArrowUp');
  await until('the page says so', async () => /E-stop 1 is latched: pressed on the page/.test(await banner(page)));

  await page.locator('#banner-button').click();
  assert.match(await page.locator('#reset').innerText(), /Reset e-stop 1\?/);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#reset').isVisible(), false);
  await page.keyboard.press('r');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Leave it latched');
  await page.keyboard.press('Enter');
  await page.locator('#reset').waitFor({ state: 'hidden' });
  await sleep(200);
  assert.ok(!calls.some((call) => call.endsWith('/estop/reset')), 'leaving it asks for nothing');
  assert.equal(await latched(), true);

  await page.keyboard.press('r');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await until('it is reset', async () => !(await latched()));
  assert.notEqual((await robot.state()).base.closed, null, 'a reset opens nothing');
  await page.keyboard.press('t');
  await until('a take opens', async () => (await robot.state()).base.closed === null);
  check();
});

robotTest('the big e-stop button works as well as its key', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot);
  await page.locator('#estop').click();
  await until('it is latched', async () => (await robot.state()).estop.latched);
  assert.equal((await robot.state()).estop.epoch, 1);
  check();
});

robotTest('who else drives is shown, a refused press says why, and taking over is one press', async (t) => {
  const robot = await startRobot(t);
  const token = await robot.addPerson('Ada');
  const { page, check, frames } = await openPage(t, browser, robot, { mayLog: ANSWERED_409 });
  assert.equal((await robot.call('POST', 'leases', { resource: 'base', ttl_ms: 30_000 }, token)).status, 201);
  await until('Ada is shown', async () => /Ada .*drives/.test(await banner(page)));
  await page.keyboard.down('ArrowUp');
  await until('the refusal names her', async () => frames.length > 0 && /Ada/.test(await page.locator('#news').textContent()));
  assert.equal(await robot.standing(), true);
  await page.keyboard.up('ArrowUp');
  await page.locator('#why summary').click();
  await until('the refusal is listed', async () => /lease-held/.test(await page.locator('#why-list').innerText()));
  await page.locator('#base-take').click();
  await until('the base is ours', async () => (await robot.state()).control.base?.holder !== 'Ada');
  await page.keyboard.down('ArrowUp');
  await until('the robot moves', robot.moving);
  check();
});

robotTest('without a token the page asks for one, and stops the robot all the same', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot, { url: robot.origin, live: false, mayLog: /401|WebSocket connection/ });
  await page.locator('#login').waitFor();
  assert.equal(await page.locator('#side').isVisible(), false);
  await page.locator('#stop').click();
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await page.locator('#estop').click();
  await until('it is latched', async () => (await robot.state()).estop.latched);

  await page.locator('#token').fill('rb_wrong');
  await page.keyboard.press('Enter');
  await until('a wrong token is said', async () => /does not know/.test(await page.locator('#login-error').innerText()));
  await page.locator('#token').fill(robot.token);
  await page.keyboard.press('Enter');
  await page.locator('body[data-contact=live]').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the token does not stay in the address');
  check();
});
