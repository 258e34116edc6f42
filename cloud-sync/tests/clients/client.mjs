// OpenAI's own JavaScript client against /v1 of a robot or a cloud: client.mjs FOLDER BASE_URL TOKEN, FOLDER being that of
// node_modules. It fails with what was not so. The models behind it are stand-ins with a script.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [folder, base, token] = process.argv.slice(2);
const { OpenAI } = createRequire(`${folder}/`)('openai');
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: token, maxRetries: 0, timeout: 30_000 });
const QUOKKA = 'Quokkas live on islands. They sleep by day. They smile, some say.';
const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a place.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const asked = (content, more = {}) =>
  client.chat.completions.create({ model: 'robbie', messages: [{ role: 'user', content }], ...more });

async function whole() {
  const answer = await asked('Tell me about quokkas.');
  assert.equal(answer.choices[0].message.content, QUOKKA);
  assert.equal(answer.choices[0].finish_reason, 'stop');
}

async function streamed() {
  let text = '';
  for await (const chunk of await asked('Tell me about quokkas.', { stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
  }
  assert.equal(text, QUOKKA);
}

async function carriesToolsOut() {
  const cities = [];
  const runner = client.chat.completions.runTools({
    model: 'robbie',
    messages: [{ role: 'user', content: 'How is the weather in Oslo?' }],
    stream: true,
    tools: [{
      ...WEATHER,
      function: {
        ...WEATHER.function,
        parse: JSON.parse,
        function: ({ city }) => {
          cities.push(city);
          return 'snow, -3 degrees';
        },
      },
    }],
  });
  assert.match(await runner.finalContent(), /-3 degrees/);
  assert.deepEqual(cities, ['Oslo']);
}

async function embeds() {
  const { data } = await client.embeddings.create({ model: 'robbie', input: ['a red ball', 'the tax office'] });
  assert.deepEqual(data.map(({ embedding }) => embedding.length), [384, 384]);
}

async function isRefused() {
  const names = (await client.models.list()).data.map(({ id }) => id);
  assert(names.includes('robbie'), names.join());
  await assert.rejects(client.models.retrieve('gpt-4'), OpenAI.NotFoundError);
  await assert.rejects(asked('hello', { n: 2 }), OpenAI.UnprocessableEntityError);
  const stranger = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
}

async function leaves() {
  const stream = await asked('Count for ever.', { stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
  stream.controller.abort();
}

for (const rule of [whole, streamed, carriesToolsOut, embeds, isRefused, leaves]) await rule();
console.log('ok');
