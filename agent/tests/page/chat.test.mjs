// Talking with Robbie on the page: what it remembers and does, what it refuses, breaks of the connection, and that typing
// never drives.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { banner, launch, openPage, robotTest, sleep, startRobot, until } from './robot.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

const ANSWER_MS = 12_000;

/** A robot, and its page with the chat open and ready. */
async function talking(t, { robot, ...options } = {}) {
  const mine = robot ?? await startRobot(t);
  const person = await openPage(t, browser, mine, options);
  const { page } = person;
  await page.getByRole('link', { name: 'Chat' }).click();
  const field = page.getByLabel('Message', { exact: true });
  const ready = () => until('something can be said', () => page.getByRole('button', { name: 'Send', exact: true }).isEnabled());
  await ready();
  const last = page.locator('.said:not(.mine)').last();
  return Object.assign(person, {
    robot: mine, field, ready, last,
    /** Says something by the keyboard; gives back the text of the answer. */
    async say(words) {
      const count = await page.locator('.said').count();
      await field.fill(words);
      await field.press('Enter');
      await until(`an answer to "${words}"`, async () => (await page.locator('.said').count()) === count + 2 && (await page.locator('.waiting').count()) === 0, ANSWER_MS);
      return last.locator('.bubble > .words').innerText();
    },
    steps: () => last.locator('.call').allInnerTexts(),
  });
}

const heading = async (robot) => (await robot.state()).base.pose.heading_rad;
const turnsOf = async (robot) => {
  const conversations = (await robot.ask('GET', 'conversations')).body;
  return Promise.all(conversations.map(async ({ id }) => (await robot.ask('GET', `conversations/${id}`)).body));
};

robotTest('what Robbie was told it says again, and shows where it knows it from', async (t) => {
  const { page, say, last, steps, field, check } = await talking(t);
  assert.match(await say('remember that my keys are on the hook'), /keys are on the hook/);
  assert.match((await steps()).join(), /remember[^]*done/);
  assert.equal(await field.inputValue(), '', 'the field is free for the next message');
  assert.match(await say('where are my keys?'), /keys are on the hook/);
  const sources = last.locator('details.sources');
  assert.equal(await sources.locator('.hit').first().isVisible(), false, 'folded away at first');
  await sources.locator('summary').focus();
  await page.keyboard.press('Enter');
  const source = await sources.locator('.hit').first().innerText();
  assert.match(source, /^(Note|Said)[^]*owner[^]*just now[^]*my keys are on the hook/);
  assert.ok((await sources.locator('.why').first().innerText()).length > 5, 'and why');
  assert.ok(await last.locator('img').evaluate((image) => image.decode().then(() => image.alt && image.naturalWidth > 0)), 'the mood’s picture');
  assert.match(await last.locator('.bubble > .meta').innerText(), /just now[^]*by rules, without a model[^]*\d ms/);
  assert.deepEqual(await page.locator('.talk').evaluate((log) => [log.role, log.ariaLive]), ['log', 'polite']);
  check();
});

robotTest('a turn turns the robot, also when the page had the base', async (t) => {
  const robot = await startRobot(t);
  const { page, say, steps, check } = await talking(t, { robot });
  await page.getByRole('link', { name: 'Drive' }).click();
  await page.locator('#base-take').click();
  await until('the base is ours', async () => (await robot.state()).control.base);
  await page.getByRole('link', { name: 'Chat' }).click();
  await until('the base was given back', async () => !(await robot.state()).control.base);
  assert.equal((await robot.state()).base.closed, null, 'and nothing was closed');
  const before = await heading(robot);
  assert.match(await say('turn left 30 degrees'), /30 degrees to the left/);
  const turned = await heading(robot) - before;
  assert.ok(turned > 0.42 && turned < 0.63, `turned by ${turned} rad`);
  assert.match((await steps()).join(), /turn angle 30° done/);
  await until('the robot stands', robot.standing);
  assert.equal((await robot.state()).control.base, null, 'the chat keeps nothing');
  check();
});

robotTest('what is more than a message may do is refused with the bound, and nothing moves', async (t) => {
  const { robot, say, check } = await talking(t);
  const { x_m, y_m } = (await robot.state()).base.pose;
  assert.match(await say('go forward 10 metres'), /\b\d+(\.\d+)? ?m\b/);
  await sleep(300);
  const now = (await robot.state()).base.pose;
  assert.ok(Math.hypot(now.x_m - x_m, now.y_m - y_m) < 0.02);
  check();
});

robotTest('a stop stops; what fails then is marked with its reason, and the page opens the robot again', async (t) => {
  const { robot, page, say, last, steps, check } = await talking(t);
  await say('stop');
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await until('the page says so', async () => /Stopped|Closed/.test(await banner(page)));
  assert.match(await say('turn left 30 degrees'), /stopped/);
  assert.match((await steps()).join(), /turn angle 30° failed[^]*stopped[^]*closed/);
  assert.equal(await last.locator('.call[data-status=failed]').count(), 1);
  await page.getByRole('button', { name: 'Take and open' }).click();
  await page.locator('#banner-button').waitFor({ state: 'hidden' });
  assert.match(await say('turn right 10 degrees'), /10 degrees to the right/, 'what the page took does not stand in the way');
  check();
});

robotTest('a message can stop the one before it', async (t) => {
  const { robot, page, field, check } = await talking(t);
  await field.fill('turn left 90 degrees');
  await field.press('Enter');
  await page.locator('.call[data-status=running]').waitFor();
  await until('the robot moves', robot.moving);
  await field.fill('stop');
  await field.press('Enter');
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await until('both are answered', async () => (await page.locator('.said').count()) === 4 && (await page.locator('.waiting').count()) === 0);
  assert.match(await page.locator('.said').nth(1).innerText(), /turn angle 90° failed[^]*stopped on the way/);
  check();
});

robotTest('what is said is text: no element, no script, and its own direction', async (t) => {
  const evil = '<img src=x onerror="hacked=1">';
  const { robot, page, say, last, check } = await talking(t);
  await robot.ask('POST', 'sticky-notes/', { content: `My scarf is a red scarf ${evil}` });
  const reply = await say('where is my scarf?');
  assert.ok(reply.includes(evil), reply);
  await last.locator('summary').click();
  assert.ok((await last.locator('.hit').first().innerText()).includes(evil), 'in a source');
  await say(evil);
  assert.equal(await page.locator('.mine .words').last().innerText(), evil);
  const elements = () => page.evaluate(() => [window.hacked, document.querySelectorAll('.talk :is(script, b:not(.kind, .call b), .words *)').length]);
  assert.deepEqual(await elements(), [undefined, 0]);
  await say('שלום');
  await page.reload();
  await page.locator('.mine', { hasText: 'onerror' }).waitFor();
  assert.deepEqual(await elements(), [undefined, 0]);
  assert.equal(await page.evaluate(() => getComputedStyle([...document.querySelectorAll('.mine .words')].at(-1)).direction), 'rtl');
  check();
});

robotTest('the last conversation is gone on with, and a new one begins on a press', async (t) => {
  const { robot, page, say, ready, check } = await talking(t);
  await say('remember that the tea is in the tin');
  await page.reload();
  await page.locator('.said', { hasText: 'the tea is in the tin' }).first().waitFor();
  await ready();
  assert.equal(await page.locator('.said').count(), 2);
  await say('what can you do?');
  assert.deepEqual((await turnsOf(robot)).map((turns) => turns.length), [4]);
  await page.getByRole('button', { name: 'New conversation' }).click();
  assert.equal(await page.locator('.said').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Message', 'and one can type at once');
  await say('where is the tea?');
  assert.deepEqual((await turnsOf(robot)).map((turns) => turns.length).sort(), [2, 4]);
  check();
});

robotTest('without the robot nothing is sent and nothing is lost; an unanswered message goes again with its key, once', async (t) => {
  let isOpen = true;
  let swallow = false;
  let cut;
  const sent = [];
  const { robot, page, field, say, check } = await talking(t, {
    mayLog: /WebSocket/,
    before: (page) => page.routeWebSocket(/\/ws\/chat/, (near) => {
      if (!isOpen) return near.close({ code: 1011 });
      const far = near.connectToServer();
      cut = () => Promise.all([far.close(), near.close({ code: 1011 })]);
      near.onMessage((text) => {
        const { chat } = JSON.parse(text);
        if (chat) sent.push(chat);
        if (!chat || !swallow) far.send(text);
      });
    }),
  });
  await say('remember that the ladder is in the shed');
  swallow = true;
  await field.fill('where is the ladder?');
  await field.press('Enter');
  await until('it was sent', () => sent.length === 2);
  swallow = false;
  isOpen = false;
  await cut();
  await page.getByText('The robot does not hear this page now.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled(), true);
  await field.fill('later');
  await field.press('Enter');
  assert.deepEqual([await field.inputValue(), sent.length], ['later', 2], 'what was typed stays in the field');
  assert.equal(await field.evaluate((node) => node === document.activeElement), true, 'and the focus in it');
  isOpen = true;
  await until('it is answered', async () => (await page.locator('.waiting').count()) === 0, ANSWER_MS);
  assert.match(await page.locator('.bubble').last().innerText(), /ladder is in the shed/);
  assert.deepEqual(sent[2], sent[1], 'the same message with the same key');
  assert.equal(sent.length, 3);
  assert.deepEqual((await turnsOf(robot)).map((turns) => turns.length), [4], 'it is in the memory once');
  check();
});

robotTest('what cannot be answered is said to be so, and sent again with its key on a press', async (t) => {
  let refuse = true;
  const keys = [];
  const { page, last, field, check } = await talking(t, {
    before: (page) => page.routeWebSocket(/\/ws\/chat/, (near) => {
      const far = near.connectToServer();
      near.onMessage((text) => {
        const { chat } = JSON.parse(text);
        if (chat) keys.push(chat.key);
        if (!chat || !refuse) return far.send(text);
        near.send(JSON.stringify({ id: null, type: 'error', key: chat.key, data: { type: '/problems/rate-limited', title: 'Too many', detail: 'Too many messages.' } }));
      });
    }),
  });
  await field.fill('what time is it?');
  await field.press('Enter');
  await last.getByText('Too many messages.').waitFor();
  refuse = false;
  await page.getByRole('button', { name: 'Send again' }).click();
  await until('an answer', async () => /\d/.test(await last.locator('.bubble > .words').innerText()));
  assert.equal(new Set(keys).size, 1);
  check();
});

robotTest('keys in the message never drive, take or stop, and beside it they stop but do not drive', async (t) => {
  const { robot, page, field, frames, check } = await talking(t);
  await field.focus();
  const text = 'we test a reset. Eat, drive, stop';
  await page.keyboard.type(text);
  for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowDown', 'w', 'a', 's', 'd', ' ', 'e']) await page.keyboard.press(key, { delay: 30 });
  await page.keyboard.press('Shift+Enter');
  assert.equal((await field.inputValue()).length, text.length + 7, 'they are in the text');
  assert.equal(await page.locator('.said').count(), 0, 'nothing was sent');
  assert.equal(frames.length, 0);
  assert.deepEqual([(await robot.state()).base.closed, (await robot.state()).estop.latched], [null, false]);
  await page.evaluate(() => document.activeElement.blur());
  for (const key of ['ArrowUp', 'w', 't']) await page.keyboard.press(key, { delay: 60 });
  assert.equal(frames.length, 0);
  await page.keyboard.press('Space');
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  check();
});

robotTest('what a message moves ends when nobody looks any more', async (t) => {
  const { robot, page, field, check } = await talking(t);
  await field.fill('turn left 90 degrees');
  await field.press('Enter');
  await until('the robot moves', robot.moving);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await until('the robot stands', robot.standing);
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await page.locator('.call[data-status=failed]').waitFor({ timeout: ANSWER_MS });
  assert.ok(await heading(robot) < 1.5, 'it did not go to its end');
  check();
});

robotTest('what was said last and cannot be read is said to be so, tried again on a press, and keeps nobody from talking', async (t) => {
  let isThere = false;
  const robot = await startRobot(t);
  await robot.ask('POST', 'chat', { message: 'remember that the tea is in the tin' });
  const { page, say, check } = await talking(t, {
    robot, mayLog: /ERR_FAILED/,
    before: (page) => page.route(/\/api\/conversations/, (route) => (isThere ? route.continue() : route.abort())),
  });
  await page.getByText('What was said last could not be read').waitFor();
  isThere = true;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.mine', { hasText: 'the tea is in the tin' }).waitFor();
  await say('what can you do?');
  assert.deepEqual((await turnsOf(robot)).map((turns) => turns.length), [4]);
  check();
});

robotTest('who may only read sees that the chat is not for that token', async (t) => {
  const robot = await startRobot(t);
  const token = await robot.addPerson('Guest', ['read']);
  const { page, check } = await openPage(t, browser, robot, { url: `${robot.origin}/?token=${token}#chat`, mayLog: /status of 403/ });
  await page.getByText('lacks the scope speak').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled(), true);
  check();
});

for (const [name, options] of Object.entries({
  'phone-light': { viewport: { width: 360, height: 740 }, colorScheme: 'light', hasTouch: true, isMobile: true },
  'phone-dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
  'phone-wide': { viewport: { width: 740, height: 360 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
  desk: { viewport: { width: 1280, height: 820 } },
})) {
  robotTest(`${name}: the chat fits, every control has a name, the newest is in sight, and stop works from it`, async (t) => {
    const { robot, page, say, last, check } = await talking(t, options);
    await say(`remember that ${'a'.repeat(300)} is long`);
    await say('turn left 5 degrees');
    await say('what can you do?');
    const found = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      cut: [...document.querySelectorAll('#chat *, nav a')].filter((node) => node.checkVisibility() && !node.closest('.unseen') && node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.className || node.tagName),
      nameless: [...document.querySelectorAll('#chat :is(button, input, textarea, img, summary)')]
        .filter((node) => node.checkVisibility() && !(node.ariaLabel || node.textContent.trim() || node.labels?.length || node.getAttribute('alt') !== null)).map((node) => node.outerHTML),
      covered: ['#stop', '#estop', '#chat textarea', '#chat form button'].filter((wanted) => {
        const node = document.querySelector(wanted);
        const box = node.getBoundingClientRect();
        return box.height < 40 || !node.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
      }),
    }));
    assert.deepEqual(found, { width: options.viewport.width, cut: [], nameless: [], covered: [] });
    const [bubble, log] = [await last.boundingBox(), await page.locator('.talk').boundingBox()];
    assert.ok(Math.abs(bubble.y + bubble.height - log.y - log.height) < 12, 'the list is at its end');
    await page.locator('#stop').click();
    await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
    await until('the page says so', async () => /Stopped/.test(await banner(page)));
    check();
  });
}
