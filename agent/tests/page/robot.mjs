// A real agent with a simulated body, and a person's browser looking at its page. Everything ends with its test.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

export const BINARY = process.env.ROBBIE_AGENT_BINARY ?? new URL('../../../target/debug/robbie-agent', import.meta.url).pathname;
/** With PAGE_FROM_DISK=1 the page's files come from the working tree, so that a change is tried without a build. */
const SOURCES = process.env.PAGE_FROM_DISK ? new URL('../../src/page/', import.meta.url) : null;
const KINDS = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };
// The agent reads its own ROBBIE_* variables, and refuses one that it does not know.
export const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ROBBIE_')));
const DEADLINE_MS = 5000;
/** A command may talk with the cloud. */
const COMMAND_MS = 20_000;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  // A document that comes from disk counts as one from elsewhere, which may not talk to this machine.
  ...(SOURCES ? ['--disable-features=LocalNetworkAccessChecks'] : [])];

export { sleep };

/** Waits until `check` gives something true, and gives it back; fails with `what` at the deadline. */
export async function until(what, check, deadlineMs = DEADLINE_MS) {
  for (const end = performance.now() + deadlineMs; performance.now() < end; await sleep(15)) {
    const value = await check();
    if (value) return value;
  }
  assert.fail(`not within ${deadlineMs} ms: ${what}`);
}

/** What closes base and head when the body is not heard in time. Nothing that a page sends decides that. */
const UNHEARD = ['tick-gap', 'hold', 'link-lost'];
const TRIES = 5;

class Unheard extends Error {}

/**
 * One test. It is tried again, and says so, where the robot reports that its body was not heard in time: then there was
 * nothing to drive. Not without end, so that a body that is rarely heard is still a failure.
 */
export function robotTest(name, body, options = {}) {
  test(name, { timeout: 60_000, ...options }, async (t) => {
    for (let count = 1; ; count++) {
      const ends = [];
      try {
        return await body({ after: (end) => ends.push(end) });
      } catch (error) {
        if (!(error instanceof Unheard) || count === TRIES) throw error;
        t.diagnostic(`${error.message}: tried again`);
      } finally {
        for (const end of ends.reverse()) await end();
      }
    }
  });
}

/** One browser for the tests of a file. */
export const launch = () => chromium.launch({ executablePath: new URL('chromium.sh', import.meta.url).pathname, args: FLAGS, timeout: 20_000 });

/** Waits until `child` prints a line that matches, and gives the match; fails when it ends first, or at the deadline. */
export function heard(child, pattern, deadlineMs) {
  const what = child.spawnargs.join(' ');
  return new Promise((found, failed) => {
    const fail = (why) => {
      clearTimeout(timer);
      failed(new Error(`${what} ${why}`));
    };
    const timer = setTimeout(() => fail(`printed nothing like ${pattern} within ${deadlineMs} ms`), deadlineMs);
    child.on('error', (error) => fail(`does not start: ${error.message}`));
    child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = line.match(pattern);
      if (!match) return;
      clearTimeout(timer);
      found(match);
    });
  });
}

/** Address with a token, as robot and cloud print it. */
export const WITH_TOKEN = /http:\/\/\S+\?token=\S+/;

/** One call below `/api/` of the robot or cloud at `origin`. */
export async function ask(origin, token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${origin}/api/${path}`, {
    method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(DEADLINE_MS),
  });
  return { status: answer.status, body: await answer.json().catch(() => ({})) };
}

/** Starts an agent that ends with test `t`. */
export async function startRobot(t) {
  const data = await mkdtemp(join(tmpdir(), 'robbie-page-'));
  // As a service it has real-time priority; here `nice` gives what it may, and starts it in any case.
  const child = spawn('nice', ['-n', '-10', BINARY, 'run', '--data', data, '--listen', '127.0.0.1:0', '--print-url'], {
    env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(async () => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await rm(data, { recursive: true, force: true });
  });
  const [address] = await heard(child, WITH_TOKEN, 10_000);
  const url = new URL(address);
  const robot = {
    mayBeUnheard: false,
    url: url.href,
    origin: url.origin,
    token: url.searchParams.get('token'),
    ask: (method, path, body, token = robot.token) => ask(url.origin, token, method, path, body),
    call: (method, path, ...more) => robot.ask(method, `robot/${path}`, ...more),
    signal: (name) => child.kill(name),
    async state() {
      const { body } = await robot.call('GET', 'state');
      const by = body.base.closed?.by;
      if (UNHEARD.includes(by) && !robot.mayBeUnheard) throw new Unheard(`the body was not heard in time (${by})`);
      return body;
    },
    /** Runs `robbie-agent ...` beside it, and gives what that prints. */
    async command(...args) {
      const { stdout } = await promisify(execFile)(BINARY, [...args, '--data', data], { env: ENVIRONMENT, timeout: COMMAND_MS });
      return stdout;
    },
    /** Somebody else, who may drive where nothing else is said. */
    async addPerson(name, scopes = ['drive', 'read']) {
      const flags = [...scopes.flatMap((scope) => ['--scope', scope]), '--class', 'local', '--name', name];
      const token = (await robot.command('token', 'create', ...flags)).trim();
      await until('the new token works', async () => (await robot.call('GET', 'state', undefined, token)).status === 200);
      return token;
    },
    moving: async () => speedOf(await robot.state()) > 0.05,
    standing: async () => speedOf(await robot.state()) < 0.01,
  };
  return robot;
}

const speedOf = ({ base }) => Math.abs(base.velocity.linear_mps) + Math.abs(base.velocity.angular_radps);

/**
 * Opens the page. `frames` are what it sent on its driving sockets, `calls` what it asked by HTTP. The test fails at its
 * end if the console shows an error or the policy was violated; `mayLog` names what the browser itself writes there
 * about answers that the test provokes.
 */
export async function openPage(t, browser, robot, { url = robot.url, mayLog, context, before, live = true, ...options } = {}) {
  const mine = context ?? await browser.newContext({ viewport: { width: 1280, height: 820 }, ...options });
  if (!context) t.after(() => mine.close());
  const page = await mine.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  const wrong = [];
  const sent = { frames: [], calls: [], sockets: 0 };
  page.on('console', (message) => message.type() === 'error' && !mayLog?.test(message.text()) && wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => sent.calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on('websocket', (socket) => {
    if (!socket.url().endsWith('/teleop')) return;
    sent.sockets += 1;
    socket.on('framesent', ({ payload }) => sent.frames.push(JSON.parse(payload)));
  });
  await page.exposeFunction('violated', (what) => wrong.push(`policy: ${what}`));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => window.violated(event.violatedDirective)));
  if (SOURCES) await serveFromDisk(page);
  await before?.(page, sent);
  await page.goto(url);
  // What a redirect leads to is not served from disk.
  if (SOURCES && url === robot.url) await page.goto(robot.origin);
  if (live) await page.locator('body[data-contact=live]').waitFor();
  const check = () => assert.deepEqual(wrong, [], 'errors in the console');
  return Object.assign(sent, { page, check, context: mine });
}

async function serveFromDisk(page) {
  await page.route(({ pathname, search }) => pathname + search === '/' || pathname.startsWith('/page/'), async (route) => {
    const name = new URL(route.request().url()).pathname.slice('/page/'.length) || 'index.html';
    const body = await readFile(new URL(name, SOURCES), 'utf8');
    const contentType = KINDS[extname(name)];
    // A file that is new is not in the binary yet.
    await route.fulfill({ response: await route.fetch(), status: 200, contentType, body });
  });
}

const isZero = ({ linear_mps, angular_radps }) => linear_mps === 0 && angular_radps === 0;

/** What a page owes when it drove and then ended its motion: first and last frame zero, then silence. */
export async function endedQuietly(robot, { frames }) {
  await until('the last frame is zero', () => frames.length > 0 && isZero(frames.at(-1)));
  const count = frames.length;
  await until('the robot stands', robot.standing);
  await sleep(250);
  assert.equal(frames.length, count, 'nothing is sent after the last zero');
  assert.ok(isZero(frames[0]), 'the first frame is zero');
  assert.ok(!isZero(frames.at(-2)), 'one zero at the end');
  assert.ok(frames.every(({ seen, ttl_ms }) => seen.run && ttl_ms > 0), 'every frame says what was seen');
}

/** Sentence on the page about what keeps the robot still. */
export const banner = async (page) => ((await page.locator('#banner').isVisible()) ? page.locator('#banner-text').innerText() : '');
