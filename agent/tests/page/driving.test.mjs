// Driving from the page: keys, pad, gamepad and measured moves, and what ends the motion.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { banner, endedQuietly, launch, openPage, robotTest, sleep, startRobot, until } from './robot.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** A robot, its page, and the arrow key held until the robot moves. */
async function driving(t, options) {
  const robot = await startRobot(t);
  const person = await openPage(t, browser, robot, options);
  await person.page.keyboard.down('ArrowUp');
  await until('the robot moves', robot.moving);
  return Object.assign(person, { robot });
}

robotTest('arrow keys drive while they are held, and the robot stands after they are let go', async (t) => {
  const robot = await startRobot(t);
  const person = await openPage(t, browser, robot);
  const { page } = person;
  await sleep(200);
  assert.equal(person.sockets, 0, 'no driving socket before the first touch');
  await page.keyboard.down('ArrowUp');
  await until('it drove ahead', async () => (await robot.state()).base.pose.x_m > 0.1);
  await page.keyboard.down('ArrowLeft');
  await until('it turned left', async () => (await robot.state()).base.pose.heading_rad > 0.2);
  assert.match(await page.locator('#base-who').innerText(), /You drive/);
  assert.ok(Number(await page.locator('#speed').innerText()) > 0.05, 'the speed is shown');
  await page.keyboard.up('ArrowUp');
  await page.keyboard.up('ArrowLeft');
  await endedQuietly(robot, person);
  assert.equal((await robot.state()).base.closed, null);
  assert.deepEqual(person.frames.map(({ seq }) => seq), person.frames.map((_, index) => index + 1), 'seq rises by one');
  person.check();
});

robotTest('the pad drives while a mouse holds it', async (t) => {
  const robot = await startRobot(t);
  const person = await openPage(t, browser, robot);
  const box = await person.page.locator('#pad').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await person.page.mouse.move(x, y);
  await person.page.mouse.down();
  await person.page.mouse.move(x, y - 60, { steps: 4 });
  await until('it drove ahead', async () => (await robot.state()).base.pose.x_m > 0.05);
  // Outside the pad the pointer is still held.
  await person.page.mouse.move(x, y - 300);
  await until('still drives', robot.moving);
  await person.page.mouse.up();
  await endedQuietly(robot, person);
  person.check();
});

for (const end of ['touchEnd', 'touchCancel']) {
  robotTest(`the pad drives while a finger holds it, until ${end}`, async (t) => {
    const robot = await startRobot(t);
    const person = await openPage(t, browser, robot, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await person.page.locator('#pad').scrollIntoViewIfNeeded();
    const box = await person.page.locator('#pad').boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const remote = await person.context.newCDPSession(person.page);
    const touch = (type, points) => remote.send('Input.dispatchTouchEvent', { type, touchPoints: points });
    await touch('touchStart', [{ x, y }]);
    await touch('touchMove', [{ x: x - 55, y }]);
    await until('it turned left', async () => (await robot.state()).base.pose.heading_rad > 0.1);
    await touch(end, []);
    await endedQuietly(robot, person);
    person.check();
  });
}

robotTest('a gamepad drives from rest only, and its loss ends the motion', async (t) => {
  const robot = await startRobot(t);
  const person = await openPage(t, browser, robot, {
    before: (page) => page.addInitScript(() => {
      window.controller = { connected: true, axes: [0, -1], buttons: [] };
      navigator.getGamepads = () => [window.controller];
    }),
  });
  const push = (axes) => person.page.evaluate((values) => (window.controller.axes = values), axes);
  await person.page.evaluate(() => dispatchEvent(new Event('gamepadconnected')));
  await sleep(300);
  assert.equal(person.frames.length, 0, 'a stick that was already pushed starts nothing');
  await push([0, 0]);
  await sleep(100);
  await push([0, -0.8]);
  await until('the robot moves', robot.moving);
  await person.page.evaluate(() => (window.controller = null));
  await endedQuietly(robot, person);
  person.check();
});

const LEAVING = {
  'the window loses focus': () => dispatchEvent(new Event('blur')),
  'the tab is hidden': () => {
    Object.defineProperty(document, 'hidden', { get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  },
};
for (const [what, leave] of Object.entries(LEAVING)) {
  robotTest(`when ${what} the page ends its own motion and closes nothing`, async (t) => {
    const person = await driving(t);
    await person.page.evaluate(leave);
    await endedQuietly(person.robot, person);
    assert.equal((await person.robot.state()).base.closed, null, 'the base stays open for others');
    assert.ok(!person.calls.some((call) => call.endsWith('/stop')) && !person.frames.some(({ stop }) => stop), 'stop is never sent');
    person.check();
  });
}

/** Lets a test hold back what the robot says, or cut the driving socket. */
async function wire(page) {
  const line = { heard: true, cut() {} };
  await page.routeWebSocket(/\/api\/robot\//, (near) => {
    const far = near.connectToServer();
    near.onMessage((text) => far.send(text));
    far.onMessage((text) => line.heard && near.send(text));
    if (near.url().endsWith('/teleop')) line.cut = () => Promise.all([far.close(), near.close({ code: 1011 })]);
  });
  return line;
}

robotTest('on news older than 300 ms nothing is sent, and later nothing is made up for', async (t) => {
  let line;
  const person = await driving(t, {
    before: async (page) => (line = await wire(page)),
  });
  const { robot, page, frames } = person;
  line.heard = false;
  await sleep(450);
  const count = frames.length;
  await until('the robot stands', robot.standing);
  await sleep(400);
  assert.equal(frames.length, count, 'nothing is sent on old news');
  line.heard = true;
  await until('the page is fresh again', async () => (await page.locator('#age').innerText()) === 'live');
  await sleep(300);
  assert.equal(frames.length, count, 'the key that is still held starts nothing');
  assert.match(await banner(page), /[Ll]et go/);
  await page.keyboard.up('ArrowUp');
  await page.keyboard.down('ArrowUp');
  await until('a new press drives', robot.moving);
  assert.equal(frames[count].linear_mps, 0, 'it begins with a zero again');
  await page.keyboard.up('ArrowUp');
  await until('the robot stands', robot.standing);
  person.check();
});

robotTest('when the driving socket dies the motion is over until the next press', async (t) => {
  let line;
  const person = await driving(t, {
    mayLog: /already in CLOSING/, // the test's own scissors
    before: async (page) => (line = await wire(page)),
  });
  const { robot, page } = person;
  await line.cut();
  await until('the page says so', async () => /connection ended/.test(await banner(page)));
  await until('the robot stands', robot.standing);
  await sleep(400);
  assert.equal(person.sockets, 1, 'no new socket by itself');
  assert.equal((await robot.state()).base.closed, null);
  await page.keyboard.up('ArrowUp');
  await page.keyboard.down('ArrowUp');
  await until('a new press drives', robot.moving);
  assert.equal(person.sockets, 2);
  person.check();
});

robotTest('a second page with the same token takes the stick, and the first does not fight for it', async (t) => {
  const first = await driving(t);
  const { robot } = first;
  const second = await openPage(t, browser, robot, { context: first.context });
  await second.page.keyboard.down('ArrowLeft');
  await until('the first page says so', async () => /Another page/.test(await banner(first.page)));
  await until('the second page drives', () => second.frames.length > 10);
  await sleep(600);
  assert.equal(first.sockets, 1, 'no reconnect by itself');
  await second.page.keyboard.up('ArrowLeft');
  await endedQuietly(robot, second);
  await first.page.keyboard.up('ArrowUp');
  await first.page.keyboard.down('ArrowUp');
  await until('a touch takes it back', robot.moving);
  assert.equal(first.sockets, 2);
  await until('the second page says so', async () => /Another page/.test(await banner(second.page)));
  first.check();
  second.check();
});

robotTest('an agent that stands still hears nothing from a held key', async (t) => {
  const person = await driving(t, { mayLog: /WebSocket|ERR_|Failed to load/ });
  person.robot.mayBeUnheard = true;
  person.robot.signal('SIGSTOP');
  await sleep(500);
  const count = person.frames.length;
  await sleep(1200);
  assert.equal(person.frames.length, count);
  await until('the page claims no more than it knows', async () => /No contact .*Driving has ended by itself; a measured move goes on to its end/.test(await banner(person.page)));
  person.robot.signal('SIGCONT');
  await until('the page is live again', async () => (await person.page.locator('#age').innerText()) === 'live');
  await until('the robot stands', person.robot.standing);
  assert.equal(person.frames.length, count, 'no backlog');
  person.check();
});

robotTest('a measured move arrives, and one that nobody watches is cancelled', async (t) => {
  const robot = await startRobot(t);
  const { page, check } = await openPage(t, browser, robot);
  await page.locator('#distance').fill('0.15');
  await page.locator('#ahead').click();
  await until('it arrived', async () => Math.abs((await robot.state()).base.pose.x_m - 0.15) < 0.03 && robot.standing());
  await until('the page says so', async () => /Arrived/.test(await banner(page)));
  await page.locator('#distance').fill('1.5');
  await page.locator('#ahead').click();
  await until('the robot moves', robot.moving);
  await until('its progress is shown', () => page.locator('#task').isVisible());
  await page.evaluate(() => dispatchEvent(new Event('blur')));
  await until('the robot stands', robot.standing);
  const { base } = await robot.state();
  assert.ok(base.pose.x_m < 1 && base.closed === null);
  check();
});
