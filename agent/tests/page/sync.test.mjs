// What the page shows of sync: no cloud, a cloud that is away or refuses, what waits and since when, and two versions of which a
// person chooses one. The cloud is a real one.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { missing, startCloud } from './cloud.mjs';
import { launch, openPage, robotTest, startRobot, until } from './robot.mjs';

/** Robot, cloud and page look at each other every few seconds, and after failures more rarely. */
const SOON_MS = 60_000;
const TIMEOUT_MS = 240_000;
/** More than anything that is written at once, and less than what is waited for. */
const TOLERANCE_MS = 2000;

const lacking = missing();
// What people may leave out on their own machine is a failure where everything must run.
const options = { timeout: TIMEOUT_MS, skip: process.env.CI === 'true' ? false : lacking ?? false };
const syncTest = (name, body) => robotTest(name, body, options);

let browser;
let cloud;
const ends = [];
before(async () => {
  if (options.skip) return;
  assert.equal(lacking, null);
  cloud = await startCloud({ after: (end) => ends.push(end) });
  browser = await launch();
  ends.push(() => browser.close());
}, { timeout: TIMEOUT_MS });
after(async () => {
  for (const end of ends.reverse()) await end();
});

const soon = (what, check) => until(what, check, SOON_MS);

/** A robot without a cloud, and its page with the memory open. `card` is the part about the cloud. */
async function alone(t, { robot = null, token = null, ...more } = {}) {
  const mine = robot ?? await startRobot(t);
  const url = `${mine.origin}/?token=${token ?? mine.token}#memory`;
  const person = await openPage(t, browser, mine, { url, ...more });
  const card = person.page.getByRole('region', { name: 'In step with the cloud' });
  const says = (words) => card.getByText(words).first().waitFor({ timeout: SOON_MS });
  return Object.assign(person, { robot: mine, card, says, conflict: (words) => card.getByRole('listitem').filter({ hasText: words }) });
}

/** Lets the robot into a town of its own. */
async function pair(robot, owner) {
  const town = await cloud.town(owner);
  await robot.command('pair', await town.code(), '--cloud', cloud.line.url);
  return town;
}

const contentsOf = async (side) => (await side.ask('GET', 'sticky-notes/')).body.map(({ content }) => content).sort();
const noteOf = async (side, id) => (await side.ask('GET', `sticky-notes/${id}`)).body;
const conflictsOf = async (side) => (await side.ask('GET', 'sync/conflicts')).body;

/** A robot in its town, its page, and `note` on both sides. */
async function paired(t, { note, ...more } = {}) {
  t.after(cloud.line.mend);
  const person = await alone(t, more);
  const { robot } = person;
  const town = await pair(robot);
  await person.says('Robot and cloud have the same.');
  const { status, body: { id } } = await robot.ask('POST', 'sticky-notes/', note);
  assert.equal(status, 201);
  await soon('the note in the cloud', async () => (await contentsOf(town)).length === 1);
  await person.says('Robot and cloud have the same.');
  return Object.assign(person, { town, id });
}

/**
 * Both sides change the note, or the cloud deletes it, and they do not see each other. Gives the conflicts as the robot has
 * them, as soon as both sides have `count`.
 */
async function apart({ robot, town, id }, count, ofRobot, ofCloud) {
  cloud.line.cut();
  await robot.ask('PATCH', `sticky-notes/${id}`, ofRobot);
  await town.ask(ofCloud ? 'PATCH' : 'DELETE', `sticky-notes/${id}`, ofCloud);
  cloud.line.mend();
  return soon(`${count} conflicts on both sides`, async () => {
    const [here, there] = [await conflictsOf(robot), await conflictsOf(town)];
    return here.length === count && there.length === count && here;
  });
}

/** Presses Tab until the focus is on what has this name. */
async function tabTo(page, name) {
  for (let count = 0; count < 150; count++) {
    await page.keyboard.press('Tab');
    if (name.test(await page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent))) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

syncTest('a robot without a cloud says so and how it gets one, and once it is paired that both have the same', async (t) => {
  const { robot, page, card, says, check } = await alone(t);
  await robot.ask('POST', 'sticky-notes/', { content: 'Written before' });
  await says('This robot belongs to no cloud: its memory is here alone.');
  await says('robbie-agent pair CODE --cloud URL');
  assert.doesNotMatch(await card.innerText(), /same|waits|away/);
  // Who is somebody else there: the tokens go with the owner's rows.
  const town = await pair(robot, 'ann');
  await says('Robot and cloud have the same.');
  await says('The same on both sides: just now.');
  assert.deepEqual(await contentsOf(town), ['Written before']);
  await town.ask('POST', 'sticky-notes/', { content: 'Written in the cloud' });
  await page.locator('.note', { hasText: 'Written in the cloud' }).waitFor({ timeout: SOON_MS });
  assert.equal(await page.locator('#login').isVisible(), false, 'whoever looked at the page still may');
  assert.deepEqual([await card.getByRole('listitem').count(), await card.locator('.bad:visible').count()], [0, 0]);
  check();
});

syncTest('a cloud that is killed: what waits and since when, and all is well by itself when it is back', async (t) => {
  t.after(cloud.start);
  const { robot, town, card, says, check } = await paired(t, { note: { content: 'Before' } });
  await cloud.kill();
  await says('The cloud is away. Nothing waits.');
  const from = Date.now();
  await robot.ask('POST', 'sticky-notes/', { content: 'First alone' });
  const to = Date.now();
  await says('The cloud is away. 1 change waits here.');
  await robot.ask('POST', 'sticky-notes/', { content: 'Second alone' });
  await says('The cloud is away. 2 changes wait here.');
  const oldest = card.locator('p', { hasText: 'The oldest change that waits is from' }).locator('time').first();
  await soon('the time of the oldest, when it is not now any more', async () => {
    const at = Date.parse(await oldest.getAttribute('datetime'));
    return Date.now() - to > 2 * TOLERANCE_MS && at > from - TOLERANCE_MS && at < to + TOLERANCE_MS;
  });
  await says('The same on both sides');
  assert.equal(await card.locator('.bad:visible').count(), 0, 'a cloud that is away is nothing that a person must look after');
  await cloud.start();
  await says('Robot and cloud have the same.');
  assert.deepEqual(await contentsOf(town), ['Before', 'First alone', 'Second alone']);
  assert.doesNotMatch(await card.innerText(), /waits|wait here/);
  check();
});

syncTest('a robot that its cloud does not know any more says so, and what waits', async (t) => {
  const { robot, town, card, says, check } = await paired(t, { note: { content: 'Known' } });
  const [{ id }] = (await town.ask('GET', 'devices')).body;
  assert.equal((await town.ask('DELETE', `devices/${id}`)).status, 204);
  await robot.ask('POST', 'sticky-notes/', { content: 'Still here' });
  await says(/not known[^]* 1 change waits here\./);
  assert.match(await card.locator('.bad').innerText(), /revoked/);
  check();
});

syncTest('a note that both sides changed: both versions are shown, and a person chooses, also without a mouse', async (t) => {
  const person = await paired(t, { note: { content: 'The key is red', tags: ['hall'], priority: 40 } });
  const { robot, town, id, page, calls, card, conflict, check } = person;
  const open = await apart(person, 3,
    { content: 'The key is green', tags: ['garage', 'left'], priority: 70 }, { content: 'The key is black', tags: ['cellar'], priority: 20 });
  const of = (name) => open.find(({ field }) => field === name);
  await soon('three conflicts', async () => (await card.getByRole('listitem').count()) === 3);
  const shown = await conflict('content').innerText();
  assert.match(shown, /Two versions of a note: content[^]*Both sides changed it/);
  assert.match(shown, new RegExp(`As it is now[^]*${of('content').current}[^]*The other version[^]*${of('content').other}`));
  assert.match(shown, /the cloud/);
  assert.ok(shown.includes((await robot.state()).robot), 'which robot wrote it');
  assert.equal(await conflict('content').locator('time').count(), 2, 'and when');
  assert.match(await conflict('tags').innerText(), /The key is[^]*garage, left|cellar[^]*cellar|garage, left/);
  assert.match(await conflict('priority').innerText(), /The key is[^]*(70[^]*20|20[^]*70)/);
  const names = await card.getByRole('listitem').getByRole('button').evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel));
  assert.deepEqual([names.length, new Set(names).size], [6, 6], `every button says what it keeps: ${names}`);
  for (const side of [robot, town]) assert.equal((await noteOf(side, id)).content, of('content').current, 'nothing is chosen by itself');

  const use = new RegExp(`^Use the other: ${of('content').other}$`);
  await tabTo(page, use);
  const looks = () => calls.filter((call) => call.endsWith('/sync/conflicts')).length;
  const before = looks();
  await soon('two more looks', () => looks() >= before + 2);
  assert.match(await page.evaluate(() => document.activeElement.ariaLabel ?? ''), use, 'the focus stays where it is');
  await page.keyboard.press('Enter');
  await soon('it is chosen', async () => (await card.getByRole('listitem').count()) === 2);
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'li', 'the focus is beside the next one, on no button');
  await card.getByText('Chosen, for both sides.').waitFor();
  for (const side of [robot, town]) await soon('the other one on both sides', async () => (await noteOf(side, id)).content === of('content').other);

  const choice = await town.ask('POST', `sync/conflicts/${of('tags').id}/resolve`, { keep: 'current' });
  assert.equal(choice.status, 200);
  await soon('what is chosen in the cloud goes from here', async () => (await conflict('tags').count()) === 0);
  await conflict('priority').getByRole('button', { name: /^Keep this: / }).click();
  await soon('nothing is left', async () => (await card.getByRole('listitem').count()) === 0);
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'In step with the cloud');
  for (const side of [robot, town]) {
    await soon('nothing is left on both sides', async () => (await conflictsOf(side)).length === 0);
    const { tags, priority } = await noteOf(side, id);
    assert.deepEqual([tags, priority], [of('tags').current, of('priority').current]);
  }
  check();
});

syncTest('a note that was deleted in the cloud and changed here comes back when a person wants it', async (t) => {
  const person = await paired(t, { note: { content: 'Call the plumber' } });
  const { robot, town, page, conflict, check } = person;
  await apart(person, 1, { content: 'Call the plumber on Monday' }, null);
  const row = conflict('Call the plumber on Monday');
  await row.waitFor({ timeout: SOON_MS });
  assert.match(await row.innerText(), /One side deleted it[^]*As it is now\s+deleted\s+Keep this\s+The other version/);
  await page.getByText('No notes yet').waitFor({ timeout: SOON_MS });
  await row.getByRole('button', { name: 'Use the other: Call the plumber on Monday' }).click();
  await row.waitFor({ state: 'detached', timeout: SOON_MS });
  await page.locator('.note', { hasText: 'Call the plumber on Monday' }).waitFor({ timeout: SOON_MS });
  for (const side of [robot, town]) {
    await soon('it is back on both sides', async () => (await contentsOf(side)).join() === 'Call the plumber on Monday');
  }
  check();
});

syncTest('long versions fit on a phone, and who may only read sees both and no way to choose', async (t) => {
  const long = (word) => `${word} https://example.org/${word.repeat(100)}`;
  const person = await paired(t, { note: { content: 'The address' }, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await apart(person, 1, { content: long('green') }, { content: long('black') });
  const row = person.conflict('example.org');
  await row.waitFor({ timeout: SOON_MS });
  const found = await person.page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    cut: [...document.querySelectorAll('#memory *')].filter((node) => node.checkVisibility() && !node.closest('.unseen') && node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.className || node.tagName),
  }));
  assert.deepEqual(found, { width: 360, cut: [] });
  assert.equal(await row.getByRole('button', { name: /^(Keep this|Use the other): / }).count(), 2);
  person.check();

  const token = await person.robot.addPerson('Guest', ['read']);
  const guest = await alone(t, { robot: person.robot, token, mayLog: /status of 403/ });
  const seen = guest.conflict('example.org');
  await seen.waitFor({ timeout: SOON_MS });
  await guest.page.getByText('lacks the scope speak').waitFor();
  const both = await seen.innerText();
  assert.ok(both.includes('green') && both.includes('black'), both);
  assert.equal(await seen.getByRole('button').count(), 0);
  guest.check();
});
