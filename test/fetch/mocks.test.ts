// The tools by which suites mock HTTP, each with docs/fetch.md's options. `npm run test:extra` installs them below .cache/.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const installed = fileURLToPath(new URL('../../.cache/extra/', import.meta.url));
const tools = createRequire(join(installed, 'package.json'));

/** Made in the process of the test: mocks are of a whole process. */
const prelude = `
  import { createClient } from '@turnwire/client';
  import { createFetch } from '@turnwire/client/fetch';
  import OpenAI from 'openai';
  const url = 'https://api.openai.com/v1/responses';
  const output = [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Mocked.', annotations: [] }] }];
  const whole = { id: 'resp_1', object: 'response', status: 'completed', model: 'm', output };
  const events = [
    { type: 'response.created', response: { ...whole, status: 'in_progress', output: [] } },
    { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta: 'Mocked.' },
    { type: 'response.completed', response: whole },
  ];
  const stream = events.map((event) => 'data: ' + JSON.stringify(event) + '\\n\\n').join('');
  const sse = { 'content-type': 'text/event-stream' };
  async function ask() {
    const sdk = new OpenAI({ apiKey: 'k', maxRetries: 0, fetch: createFetch({ transport: 'sse', network: { viaFetch: true } }) });
    const client = createClient({ apiKey: 'k', transport: 'sse', fetch: globalThis.fetch });
    const texts = [(await sdk.responses.create({ model: 'm', input: 'x' })).output_text, ''];
    for await (const event of await sdk.responses.create({ model: 'm', input: 'x', stream: true }))
      if (event.type === 'response.output_text.delta') texts[1] += event.delta;
    texts.push(await client.turn({ model: 'm', input: 'x' }).text());
    console.log(texts.join(' '));
  }
`;

const suites: Readonly<Record<string, { file: string; code: (file: string) => string }>> = {
  msw: {
    file: 'msw/node',
    code: (file) => `
      import { setupServer } from '${file}';
      import { HttpResponse, http } from '${resolved('msw')}';
      const server = setupServer(
        http.post(url, async ({ request }) =>
          (await request.json()).stream ? new HttpResponse(stream, { headers: sse }) : HttpResponse.json(whole)),
      );
      server.listen({ onUnhandledRequest: 'error' });
      await ask();`,
  },
  nock: {
    file: 'nock',
    code: (file) => `
      import nock from '${file}';
      nock.disableNetConnect();
      nock('https://api.openai.com').persist().post('/v1/responses')
        .reply((_path, body) => (body.stream ? [200, stream, sse] : [200, whole]));
      await ask();`,
  },
  undici: {
    file: 'undici',
    code: (file) => `
      import undici from '${file}';
      const agent = new undici.MockAgent();
      agent.disableNetConnect();
      undici.setGlobalDispatcher(agent);
      agent.get('https://api.openai.com').intercept({ path: '/v1/responses', method: 'POST' })
        .reply(({ body }) => JSON.parse(body).stream
          ? { statusCode: 200, data: stream, responseOptions: { headers: sse } }
          : { statusCode: 200, data: whole, responseOptions: { headers: { 'content-type': 'application/json' } } })
        .persist();
      await ask();`,
  },
};

function resolved(name: string): string {
  return pathToFileURL(tools.resolve(name)).href;
}

describe('mocks of HTTP answer the turns, by an SDK and by the client', () => {
  for (const [name, { file, code }] of Object.entries(suites)) {
    const skip = existsSync(join(installed, 'node_modules', name)) ? false : 'npm run test:extra installs it';
    test(name, { skip }, async () => {
      const script = `${prelude}${code(resolved(file))}\nprocess.exit(0);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let told = '';
      child.stdout.on('data', (bytes) => (told += String(bytes)));
      child.stderr.on('data', (bytes) => (told += String(bytes)));
      await once(child, 'close');
      assert.equal(told.trim(), 'Mocked. Mocked. Mocked.');
    });
  }
});
