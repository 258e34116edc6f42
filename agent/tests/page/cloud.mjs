// A real cloud behind the robots: `robbie-cloud` with a database of its own, killed and started as a test says, and a line to
// it that can be cut. Everything ends with the tests of a file.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ask, BINARY, ENVIRONMENT, heard, WITH_TOKEN } from './robot.mjs';

const [CLOUD, TRYOUT, MODELS] = ['robbie-cloud', 'robbie-tryout', 'robbie-models'].map((name) => join(dirname(BINARY), name));
/** The first start unpacks the database and makes its tables, on a machine that may be busy with other things. */
const STARTS_WITHIN_MS = 120_000;
/** Rate limits are for other people's clients. */
const WITHOUT_LIMITS = ['limits.read_per_min=0', 'limits.write_per_min=0'].flatMap((setting) => ['--set', setting]);

/** Why there can be none here; null where there can. */
export function missing() {
  const programs = [CLOUD, TRYOUT, MODELS].filter((program) => !existsSync(program));
  return programs.length ? `not built: ${programs.join(', ')} (cargo build --workspace --bins)` : null;
}

/** Starts a program that does not outlive this one, however that ends. */
const start = (program, args, environment = {}) => spawn(TRYOUT, ['child', String(process.pid), '--', program, ...args], {
  env: { ...ENVIRONMENT, MQTT_URL: undefined, RUST_LOG: 'error', ...environment }, stdio: ['ignore', 'pipe', 'inherit'],
});

async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

/** A line to the port that `port()` names. While it is cut, or there is none, connections end at once. */
async function createLine(port) {
  let isCut = false;
  const sockets = new Set();
  const server = createServer((near) => {
    if (isCut || !port()) return near.destroy();
    const far = connect(port(), '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut,
    mend: () => (isCut = false),
    end() {
      cut();
      server.close();
    },
  };
}

/** What stands in for language models: variables of a cloud that asks the one for OpenAI, and `tell` it what to do. */
export async function startModel(t) {
  const child = start(MODELS, []);
  t.after(() => kill(child));
  const { openai, control } = JSON.parse((await heard(child, /^\{.*\}$/m, STARTS_WITHIN_MS))[0]);
  return {
    environment: { OPENAI_API_KEY: 'none', ROBBIE_CLOUD_OPENAI__BASE_URL: openai },
    tell: (what) => fetch(`${control}openai`, { method: 'PUT', body: JSON.stringify(what) }),
  };
}

/** Starts one that ends with `t`. Robots reach it over its line, at an address that stays. */
export async function startCloud(t, environment = {}) {
  const data = await mkdtemp(join(tmpdir(), 'robbie-page-cloud-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const database = start(TRYOUT, ['database', '--data', join(data, 'database')]);
  t.after(() => kill(database));
  const [, url] = await heard(database, /^DATABASE_URL=(\S+)/, STARTS_WITHIN_MS);

  let child = null;
  let address = null;
  const line = await createLine(() => address?.port);
  t.after(line.end);
  const cloud = {
    line,
    /** Where it runs already, it goes on. */
    async start() {
      if (address) return;
      const args = ['run', '--data', join(data, 'cloud'), '--listen', '127.0.0.1:0', '--print-url', ...WITHOUT_LIMITS];
      child = start(CLOUD, args, { DATABASE_URL: url, ...environment });
      address = new URL((await heard(child, WITH_TOKEN, STARTS_WITHIN_MS))[0]);
    },
    /** As a crash would. */
    async kill() {
      address = null;
      if (child) await kill(child);
    },
    /** A new town, with a memory that is empty. It is its owner who asks; `code()` lets a robot in. */
    async town(owner = 'owner') {
      const body = { id: `town-${randomUUID().slice(0, 8)}`, owner };
      const { token } = (await ask(address.origin, address.searchParams.get('token'), 'POST', 'towns', body)).body;
      const asked = (...call) => ask(address.origin, token, ...call);
      return { ask: asked, code: async () => (await asked('POST', 'devices', {})).body.code };
    },
  };
  t.after(cloud.kill);
  await cloud.start();
  return cloud;
}
