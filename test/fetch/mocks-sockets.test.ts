// Libraries that put themselves below every socket of the process: nock from version 15 on. `npm run test:extra` installs it below .cache/.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const installed = fileURLToPath(new URL('../../.cache/extra/', import.meta.url));
const hasNock = existsSync(join(installed, 'node_modules', 'nock15'));
// Its code asks for `Promise.withResolvers`, although its manifest allows Node 20.
const runsHere = Number(process.versions.node.split('.')[0]) >= 22;
const skip = hasNock ? (runsHere ? false : 'nock 15 runs on Node 22 and later') : 'npm run test:extra installs it';

describe('createFetch: mocks below sockets', () => {
  test('with nock active, turns use real connections as those of ws do, and mocks answer POSTs', { skip }, async () => {
    const nock = pathToFileURL(createRequire(join(installed, 'package.json')).resolve('nock15')).href;
    const script = `
    import nock from '${nock}';
    import { createClient } from '@turnwire/client';
    import { createFetch } from '@turnwire/client/fetch';
    import { startEmulator } from 'turnwire/emulator';
    const emulator = await startEmulator({ script: { turns: [{ text: 'real' }], after: 'repeat' } });
    const ask = async (transport, options = {}) => {
      const client = createClient({ apiKey: 'k', baseUrl: emulator.url, transport, recovery: { maxAttempts: 1 }, onWarning: false, ...options });
      const texts = [];
      for (let turn = 0; turn < 2; turn += 1)
        texts.push(await client.turn({ model: 'm', input: 'x' }).text().catch((error) => error.code));
      client.destroy();
      return texts.join();
    };
    const byFetch = async () => {
      const fetch = createFetch({ onWarning: false });
      const answer = await fetch(emulator.url + '/responses', {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', input: 'x' }),
      });
      const { output } = await answer.json();
      fetch.destroy();
      return output[0].content[0].text;
    };
    const told = [await ask('websocket'), await ask('sse'), await byFetch()];
    nock.disableNetConnect();
    told.push(await ask('websocket'), await ask('sse'));
    const whole = { id: 'resp_1', object: 'response', status: 'completed', model: 'm', output: [
      { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'mocked', annotations: [] }] }] };
    const events = [
      { type: 'response.created', response: { ...whole, status: 'in_progress', output: [] } },
      { type: 'response.completed', response: whole },
    ];
    const stream = events.map((event) => 'data: ' + JSON.stringify(event) + '\\n\\n').join('');
    nock(new URL(emulator.url).origin).persist().post('/v1/responses').reply(200, stream, { 'content-type': 'text/event-stream' });
    told.push(await ask('sse'));
    console.log(told.join(' '));
    process.exit(0);
  `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stdout.on('data', (bytes) => (told += String(bytes)));
    child.stderr.on('data', (bytes) => (told += String(bytes)));
    await once(child, 'close');
    const [websocket, sse, fetched, ...mocked] = told.trim().split(' ');
    assert.deepEqual([websocket, sse, fetched], ['real,real', 'real,real', 'real']);
    // What nock lets nobody reach is reached by nobody.
    assert.deepEqual(mocked, ['dial_failed,dial_failed', 'connection_lost,connection_lost', 'mocked,mocked']);
  });
});
