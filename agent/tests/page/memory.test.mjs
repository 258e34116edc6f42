// The memory's view: notes, finding again, mood, what happens elsewhere, and that it never drives and always stops.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { banner, launch, openPage, robotTest, sleep, startRobot, until } from './robot.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** A robot that remembers `notes`, and its page with the memory open. */
async function remembering(t, { notes = [], ...options } = {}) {
  const robot = await startRobot(t);
  const ids = [];
  for (const note of notes) ids.push((await robot.ask('POST', 'sticky-notes/', note)).body.id);
  const person = await openPage(t, browser, robot, options);
  const { page } = person;
  await page.getByRole('link', { name: 'Memory' }).click();
  await until('the notes are shown', async () => (await page.locator('.note').count()) === notes.length);
  await page.getByText('Live: what changes').waitFor();
  return Object.assign(person, { robot, ids, note: (words) => page.locator('.note', { hasText: words }) });
}

const contentOf = async (robot, id) => (await robot.ask('GET', `sticky-notes/${id}`)).body.content;

robotTest('the memory is loaded when it is opened, and opening it takes and releases nothing', async (t) => {
  const robot = await startRobot(t);
  const bodies = new Map();
  const person = await openPage(t, browser, robot, {
    before: (page) => page.on('response', (response) => {
      if (/^\/(page\/.*)?$/.test(new URL(response.url()).pathname) && response.ok()) bodies.set(response.url(), response.body());
    }),
  });
  const { page, calls, check } = person;
  const bytes = (await Promise.all(bodies.values())).reduce((sum, body) => sum + body.length, 0);
  assert.ok(!calls.some((call) => /memory|sticky|mood\/|why/.test(call)), 'nothing of it before it is asked for');
  assert.ok(bytes > 40_000 && bytes <= 61_440, `the driving page has ${bytes} bytes`);
  await page.locator('#base-take').click();
  const lease = await until('the base is ours', async () => (await robot.state()).control.base?.lease);
  await page.getByRole('link', { name: 'Memory' }).click();
  await page.getByText('No notes yet').waitFor();
  assert.ok(calls.includes('GET /page/memory.js') && calls.includes('GET /page/views.css'));
  assert.equal(await page.locator('#room').isVisible(), false);
  await sleep(1200);
  const { control, base } = await robot.state();
  assert.equal(control.base?.lease, lease, 'what was taken stays taken');
  assert.equal(base.closed, null);
  assert.equal(calls.filter((call) => call.endsWith('/leases')).length, 1, 'one take, by the press');
  assert.equal(person.sockets, 0, 'no driving socket');
  await page.goBack();
  assert.equal(await page.locator('#room').isVisible(), true);
  assert.equal(await page.locator('#memory').isVisible(), false);
  check();
});

robotTest('a note is written, filtered, changed and deleted', async (t) => {
  const notes = [{ content: 'Water the plants', tags: ['home'], priority: 30 }, { content: 'Call the bank', tags: ['work'], priority: 20 }];
  const { robot, page, note, check } = await remembering(t, { notes });
  await page.getByRole('button', { name: 'Write a note' }).click();
  await page.getByLabel('Note', { exact: true }).fill('Anna likes tea 🍵');
  await page.getByLabel('Tags, with commas between').fill('anna, tea');
  await page.getByLabel('Priority').fill('80');
  await page.getByRole('button', { name: 'Save' }).click();
  await note('Anna likes tea').waitFor();
  const [first] = (await robot.ask('GET', 'sticky-notes/')).body;
  assert.deepEqual([first.content, first.tags, first.priority], ['Anna likes tea 🍵', ['anna', 'tea'], 80]);
  assert.match(await page.locator('.note').first().innerText(), /80[^]*anna[^]*tea[^]*owner[^]*just now[^]*Anna likes tea/);

  await page.getByLabel('Filter: tag').fill('work');
  await until('one note carries it', async () => (await page.locator('.note').allInnerTexts()).join().includes('Call the bank') && (await page.locator('.note').count()) === 1);
  await page.getByLabel('Filter: tag').fill('');
  await page.getByLabel('Filter: words in it').fill('plants');
  await until('one note has the word', async () => (await page.locator('.note').count()) === 1 && note('Water the plants').isVisible());
  await page.getByLabel('Filter: words in it').fill('nothing like that');
  await page.getByText('No note passes this filter.').waitFor();
  await page.getByLabel('Filter: words in it').fill('');
  await until('all are back', async () => (await page.locator('.note').count()) === 3);

  await note('Anna likes tea').getByRole('button', { name: /^Edit/ }).click();
  const field = page.getByLabel('Note', { exact: true });
  assert.equal(await field.inputValue(), 'Anna likes tea 🍵');
  await field.fill('Anna likes coffee');
  await page.keyboard.press('Control+Enter');
  await note('Anna likes coffee').waitFor();
  assert.equal(await contentOf(robot, first.id), 'Anna likes coffee');
  assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^Edit: Anna/, 'the focus is not lost');

  await note('Anna likes coffee').getByRole('button', { name: /^Delete/ }).click();
  await page.getByText('There is no way back').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Keep it', 'Enter deletes nothing');
  await note('Anna likes coffee').getByRole('button', { name: 'Delete', exact: true }).click();
  await until('it is gone', async () => (await page.locator('.note').count()) === 2);
  assert.equal((await robot.ask('GET', `sticky-notes/${first.id}`)).status, 404);
  check();
});

robotTest('two people on one note: both versions are shown, and a person chooses', async (t) => {
  const { robot, page, ids: [id], note, check } = await remembering(t, { notes: [{ content: 'The key is red' }], mayLog: /status of 4(09|04)/ });
  const field = page.getByLabel('Note', { exact: true });
  const conflict = async (theirs, mine) => {
    await page.getByRole('button', { name: /^Edit:/ }).click();
    await field.fill(mine);
    await robot.ask('PATCH', `sticky-notes/${id}`, { content: theirs });
    await page.getByText('Somebody changed this note meanwhile').waitFor();
    assert.equal(await field.inputValue(), mine, 'what was typed stays');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody changed this note while you did.').waitFor();
    const both = await page.locator('.versions').innerText();
    assert.ok(both.includes(theirs) && both.includes(mine), both);
    assert.equal(await contentOf(robot, id), theirs, 'nothing is overwritten unasked');
  };
  await conflict('The key is blue', 'The key is green');
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await note('The key is green').waitFor();
  assert.equal(await contentOf(robot, id), 'The key is green');

  await conflict('The key is black', 'The key is white');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  await note('The key is black').waitFor();
  assert.equal(await contentOf(robot, id), 'The key is black');

  await page.getByRole('button', { name: /^Edit:/ }).click();
  await field.fill('The key is gone');
  await robot.ask('DELETE', `sticky-notes/${id}`);
  await page.getByText('Somebody deleted this note meanwhile').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Write it as a new note' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await note('The key is gone').waitFor();
  assert.equal((await robot.ask('GET', 'sticky-notes/')).body.length, 1);
  check();
});

robotTest('long lists come page by page', async (t) => {
  const notes = Array.from({ length: 40 }, (_, index) => ({ content: `Note number ${index}`, priority: index }));
  const robot = await startRobot(t);
  for (const note of notes) await robot.ask('POST', 'sticky-notes/', note);
  const { page, check } = await openPage(t, browser, robot, { url: `${robot.url}#memory` });
  const shown = page.locator('.note');
  await until('a first page', async () => (await shown.count()) === 15);
  assert.match(await shown.first().innerText(), /Note number 39/);
  const more = page.locator('#memory .wide').getByRole('button', { name: 'Load more' });
  while (await more.isVisible()) {
    const count = await shown.count();
    await more.click();
    await until('more notes', async () => (await shown.count()) > count);
  }
  assert.equal(await shown.count(), 40);
  assert.match(await shown.last().innerText(), /Note number 0/);
  check();
});

robotTest('finding says why, what each signal gave, and how it was compared', async (t) => {
  const notes = [{ content: 'The red bicycle stands in the cellar' }, { content: 'Buy milk on Friday' }];
  const { page, check } = await remembering(t, { notes });
  await page.getByLabel('What shall be found?').fill('where is the bicycle');
  const hit = page.locator('.hit').first();
  await hit.waitFor();
  assert.match(await hit.innerText(), /Note[^]*just now[^]*The red bicycle stands in the cellar/);
  assert.ok((await hit.locator('.why').innerText()).length > 10);
  const shares = (await hit.locator('.bar dd').allInnerTexts()).map((text) => parseInt(text, 10));
  assert.ok(shares.length > 0 && Math.abs(shares.reduce((sum, share) => sum + share) - 100) <= shares.length, String(shares));
  const method = await page.locator('.method').innerText();
  assert.match(method, /built-in lexical embedding/);
  assert.match(method, /robbie-agent models pull minilm/);
  assert.match(method, /embedded/);
  await page.locator('.surfaced, .narrow .status:visible').first().waitFor();
  check();
});

robotTest('mood and numbers are changed with a reason, within what the robot allows', async (t) => {
  const { robot, page, check } = await remembering(t, { mayLog: /status of 422/ });
  const personality = async () => (await robot.ask('GET', 'personality')).body;
  await page.locator('.mood-name', { hasText: 'friendly' }).waitFor();
  assert.ok(await page.locator('.face-now').evaluate((image) => image.decode().then(() => image.naturalWidth > 0)), 'its picture is there');
  await page.getByLabel('Why the mood or a number is changed').fill('We paint today');
  await page.getByRole('button', { name: 'playful' }).click();
  await until('it is playful', async () => (await personality()).mood === 'playful');
  await page.locator('.history', { hasText: 'We paint today' }).waitFor();
  await page.getByRole('button', { name: 'blushing' }).click();
  await page.locator('.narrow .bad').waitFor();
  assert.equal((await personality()).mood, 'playful', 'a refusal is shown and changes nothing');
  await page.getByLabel('Attraction').focus();
  await page.keyboard.press('End');
  await until('attraction is 11', async () => (await personality()).attraction_level === 11);
  await page.getByLabel('Energy').fill('20');
  await until('energy is 20', async () => (await personality()).energy === 20);
  await page.getByRole('button', { name: 'blushing' }).click();
  await until('it blushes', async () => (await personality()).mood === 'blushing');
  check();
});

robotTest('what changes elsewhere appears at once, also after a break, and under nobody’s hands', async (t) => {
  let cut;
  let isOpen = true;
  const person = await remembering(t, {
    notes: [{ content: 'First', priority: 10 }, { content: 'Second', priority: 20 }],
    mayLog: /WebSocket/,
    before: (page) => page.routeWebSocket(/\/ws\/chat/, (near) => {
      if (!isOpen) return near.close({ code: 1011 });
      const far = near.connectToServer();
      cut = () => Promise.all([far.close(), near.close({ code: 1011 })]);
    }),
  });
  const { robot, page, ids: [first], note, check } = person;
  const begun = performance.now();
  await robot.ask('POST', 'sticky-notes/', { content: 'From elsewhere', priority: 90 });
  await note('From elsewhere').waitFor();
  assert.ok(performance.now() - begun < 2000);
  assert.match(await page.locator('.note').first().innerText(), /From elsewhere/);
  await robot.ask('POST', 'mood/update', { mood: 'focused' });
  await page.locator('.mood-name', { hasText: 'focused' }).waitFor();

  await note('Second').getByRole('button', { name: /^Edit/ }).click();
  const field = page.getByLabel('Note', { exact: true });
  await field.fill('');
  await page.keyboard.type('I write ');
  await robot.ask('PATCH', `sticky-notes/${first}`, { content: 'First, and now above', priority: 99 });
  await note('First, and now above').waitFor();
  await until('it moved up', async () => /First, and now above/.test(await page.locator('.note').first().innerText()));
  await page.keyboard.type('on');
  assert.equal(await field.inputValue(), 'I write on', 'the focus stays where a person types');
  await page.getByRole('button', { name: 'Cancel' }).click();

  isOpen = false;
  await cut();
  await page.getByText('Not live').waitFor();
  await robot.ask('DELETE', `sticky-notes/${first}`);
  await robot.ask('POST', 'sticky-notes/', { content: 'Written in the break' });
  isOpen = true;
  await note('Written in the break').waitFor({ timeout: 10_000 });
  await until('what was deleted is gone', async () => (await note('First, and now above').count()) === 0);
  await page.getByText('Live: what changes').waitFor();
  check();
});

robotTest('keys in a text never drive, take or stop, and beside it they stop but do not drive', async (t) => {
  const { robot, page, frames, calls, check } = await remembering(t, { mayLog: /WebSocket/ });
  const pressed = () => calls.filter((call) => /\/(stop|estop|leases|move)$/.test(call) && !call.startsWith('GET'));
  await page.getByRole('button', { name: 'Write a note' }).click();
  for (const label of ['Note', 'Tags, with commas between', 'Filter: words in it', 'What shall be found?']) {
    const field = page.getByLabel(label, { exact: true });
    await field.focus();
    await page.keyboard.type('we test a reset. Eat, drive, stop');
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowDown', 'Home', 'End']) await page.keyboard.press(key, { delay: 30 });
    assert.equal(await field.inputValue(), 'we test a reset. Eat, drive, stop', label);
  }
  assert.deepEqual([frames.length, pressed()], [0, []]);

  await page.evaluate(() => document.activeElement.blur());
  for (const key of ['ArrowUp', 'w', 't', 'r']) await page.keyboard.press(key, { delay: 120 });
  assert.deepEqual([frames.length, pressed()], [0, []], 'nothing drives where the room is not seen');
  assert.equal(await robot.standing(), true);
  await page.keyboard.press('Space');
  await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
  await page.keyboard.press('e');
  await until('the e-stop is latched', async () => (await robot.state()).estop.latched);
  check();
});

robotTest('opening the memory ends what is held, and a stick that is still pushed starts nothing afterwards', async (t) => {
  const robot = await startRobot(t);
  const person = await openPage(t, browser, robot, {
    before: (page) => page.addInitScript(() => {
      window.controller = { connected: true, axes: [0, 0], buttons: [] };
      navigator.getGamepads = () => [window.controller];
    }),
  });
  const { page, frames, calls, check } = person;
  await page.evaluate(() => dispatchEvent(new Event('gamepadconnected')));
  await page.keyboard.down('ArrowUp');
  await until('the robot moves', robot.moving);
  await page.evaluate(() => (location.hash = '#memory'));
  await until('the robot stands', robot.standing);
  await page.keyboard.up('ArrowUp');
  const last = frames.at(-1);
  assert.deepEqual([last.linear_mps, last.angular_radps], [0, 0], 'one zero');
  const count = frames.length;
  for (const axes of [[0, -1], [0, 0], [0, -1]]) {
    await page.evaluate((values) => (window.controller.axes = values), axes);
    await sleep(150);
  }
  await page.getByRole('link', { name: 'Drive' }).click();
  await sleep(300);
  assert.equal(frames.length, count, 'the stick must come to rest first');
  assert.equal((await robot.state()).base.closed, null, 'nothing was closed');
  assert.ok(!calls.some((call) => call.startsWith('DELETE')), 'nothing was released');
  await page.evaluate(() => (window.controller.axes = [0, 0]));
  await sleep(150);
  await page.evaluate(() => (window.controller.axes = [0, -1]));
  await until('then it drives', robot.moving);
  await page.evaluate(() => (window.controller.axes = [0, 0]));
  await until('the robot stands', robot.standing);
  check();
});

robotTest('what people wrote is text: no element, no script, and its own direction', async (t) => {
  const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script><b>bold</b>';
  const notes = [{ content: evil, tags: [evil.slice(0, 45)] }, { content: 'תזכורת חשובה', tags: ['עברית'] }];
  const { page, note, check } = await remembering(t, { notes });
  assert.equal(await note('onerror').locator('.words').innerText(), evil);
  await page.getByLabel('What shall be found?').fill('bold script');
  await page.locator('.hit', { hasText: 'onerror' }).waitFor();
  await page.getByRole('button', { name: /^Edit: <img/ }).click();
  assert.equal(await page.getByLabel('Note', { exact: true }).inputValue(), evil);
  const found = await page.evaluate(() => ({
    hacked: window.hacked, elements: document.querySelectorAll('#memory .wide :is(img, script), .surfaced :is(img, script)').length,
    direction: getComputedStyle([...document.querySelectorAll('.words')].find((node) => node.textContent.startsWith('ת'))).direction,
  }));
  assert.deepEqual(found, { hacked: undefined, elements: 0, direction: 'rtl' });
  check();
});

robotTest('who may only read sees the memory and no way to change it', async (t) => {
  const robot = await startRobot(t);
  await robot.ask('POST', 'sticky-notes/', { content: 'Look, do not touch' });
  const token = await robot.addPerson('Guest', ['read']);
  const { page, check } = await openPage(t, browser, robot, { url: `${robot.origin}/?token=${token}#memory`, mayLog: /status of 403/ });
  await page.getByText('Look, do not touch').first().waitFor();
  await page.getByText('lacks the scope speak').waitFor();
  for (const name of [/^Edit/, /^Delete/, 'Write a note']) assert.equal(await page.getByRole('button', { name }).count(), 0, String(name));
  await until('the moods are shown', async () => page.getByRole('button', { name: 'playful' }).isDisabled());
  assert.equal(await page.getByLabel('Energy').isDisabled(), true);
  await page.locator('#stop').click();
  await until('even a guest stops the robot', async () => (await robot.state()).base.closed?.by === 'stop');
  check();
});

robotTest('a memory that does not answer is said to be so, and tried again', async (t) => {
  let isThere = false;
  const robot = await startRobot(t);
  await robot.ask('POST', 'sticky-notes/', { content: 'Still here' });
  const { page, check } = await openPage(t, browser, robot, {
    url: `${robot.url}#memory`, mayLog: /ERR_FAILED/,
    before: (page) => page.route(/\/api\/sticky-notes/, (route) => (isThere ? route.continue() : route.abort())),
  });
  await page.getByText('The notes could not be read').waitFor();
  assert.equal(await page.getByText('No notes yet').count(), 0, 'it does not claim to be empty');
  isThere = true;
  await page.locator('.wide').getByRole('button', { name: 'Try again' }).click();
  await page.locator('.note', { hasText: 'Still here' }).waitFor();
  check();
});

for (const [name, options] of Object.entries({
  'phone-light': { viewport: { width: 360, height: 740 }, colorScheme: 'light', hasTouch: true, isMobile: true },
  'phone-dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
  'phone-wide': { viewport: { width: 740, height: 360 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
  desk: { viewport: { width: 1280, height: 820 } },
})) {
  robotTest(`${name}: the memory fits, every control has a name, and stop works from it`, async (t) => {
    const notes = [{ content: `https://example.org/${'a'.repeat(300)}`, tags: ['b'.repeat(64), 'c'] }, ...Array.from({ length: 20 }, (_, index) => ({ content: `Note ${index}` }))];
    const robot = await startRobot(t);
    for (const note of notes) await robot.ask('POST', 'sticky-notes/', note);
    const { page, check } = await openPage(t, browser, robot, { ...options, url: `${robot.url}#memory` });
    await page.locator('.note').first().waitFor();
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.getByLabel('What shall be found?').fill('note');
    await page.locator('.hit').first().waitFor();
    const found = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      cut: [...document.querySelectorAll('#memory *, nav a')].filter((node) => node.checkVisibility() && !node.closest('.unseen') && node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.className || node.tagName),
      nameless: [...document.querySelectorAll('#memory :is(button, input, textarea, img)')]
        .filter((node) => node.checkVisibility() && !(node.ariaLabel || node.textContent.trim() || node.labels?.length || node.getAttribute('alt') !== null)).map((node) => node.outerHTML),
    }));
    assert.deepEqual(found, { width: options.viewport.width, cut: [], nameless: [] });
    for (const down of [0, 100_000]) {
      await page.evaluate((y) => (scrollTo(0, y), document.querySelector('.columns').scrollTo(0, y)), down);
      for (const id of ['stop', 'estop']) {
        const isOnTop = await page.evaluate((wanted) => {
          const box = document.getElementById(wanted).getBoundingClientRect();
          return box.height >= 44 && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest('button')?.id === wanted;
        }, id);
        assert.ok(isOnTop, `${id} is covered`);
      }
    }
    await page.locator('#stop').click();
    await until('the base is closed', async () => (await robot.state()).base.closed?.by === 'stop');
    await until('the page says so', async () => /Stopped/.test(await banner(page)));
    await until('and where one has scrolled to', async () => {
      const box = await page.locator('#banner').boundingBox();
      return box && box.y >= 0 && box.y + box.height < options.viewport.height;
    });
    check();
  });
}
