import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const bundle = fileURLToPath(new URL('../bundle/index.cjs', import.meta.url));

/** Fake timers: `jest.useFakeTimers` and `vi.useFakeTimers` replace the globals, `mock.timers` of `node:test` the module `node:timers`, too. */
const fakes = {
  'of all globals, as in Jest and Vitest': `
    const never = () => 0;
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) globalThis[name] = never;
    Object.defineProperty(globalThis, 'performance', { value: { now: never } });`,
  'of node:test': `require('node:test').mock.timers.enable();`,
};

const program = (fake: string) => `
const { startEmulator, startRecorder, startLink, useEmulator } = require(${JSON.stringify(bundle)});
const { WebSocket } = require('ws');
const { request } = require('node:http');
const { once } = require('node:events');

async function post(url, body) {
  const asked = request(url + '/responses', { method: 'POST' });
  asked.on('error', () => undefined).end(JSON.stringify({ model: 'm', ...body }));
  const [response] = await once(asked, 'response');
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return /"status":"((?:in)?complete)d?"(?!.*"status":"(?:in)?completed?")/s.exec(text)?.[1];
  } catch (error) {
    return error.code;
  }
}

async function main() {
  ${fake}
  const emulator = await startEmulator({ latency: { firstTokenMs: 5, tokensPerSecond: 1000 } });
  const link = await startLink({ to: emulator.port, rttMs: 2 });
  const { url } = emulator;
  console.log('json', await post(url, { input: 'x' }));
  console.log('sse', await post(url, { input: 'x', stream: true }));
  console.log('large', await post(url, { input: 'a b '.repeat(200_000), instructions: 'x'.repeat(300_000), max_output_tokens: 16 }));
  console.log('link', await post('http://127.0.0.1:' + link.port + '/v1', { input: 'x', stream: true }));
  await emulator.faults([{ do: 'reset after=2' }]);
  console.log('reset', await post(url, { input: 'x', stream: true }));
  await emulator.faults([{ do: 'stall ms=5' }, { do: 'end after=3' }]);
  console.log('end', await post(url, { input: 'x', stream: true }));
  await emulator.faults();
  const socket = new WebSocket(url.replace('http', 'ws') + '/responses');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'response.create', model: 'm', input: 'x' }));
  await new Promise((done) => socket.on('message', (raw) => String(raw).includes('"response.completed"') && done()));
  console.log('websocket completed');
  await emulator.settled();
  const slow = await startEmulator({ latency: { firstTokenMs: 600_000 } });
  const asked = request(slow.url + '/responses', { method: 'POST' });
  asked.on('error', () => undefined).end(JSON.stringify({ model: 'm', input: 'x', stream: true }));
  const [answer] = await once(asked, 'response');
  answer.on('error', () => undefined);
  console.log(await slow.settled({ timeoutMs: 5 }).catch((error) => error.message));
  await slow.close();
  socket.terminate();
  await link.close();
  await emulator.close();
}
main();
`;

describe('the emulator runs while a test has fake timers', () => {
  for (const [which, fake] of Object.entries(fakes)) {
    test(which, () => {
      const run = spawnSync(process.execPath, ['-e', program(fake)], { encoding: 'utf8', timeout: 20_000 });
      const said = [
        'json complete',
        'sse complete',
        'large incomplete',
        'link complete',
        'reset ECONNRESET',
        'end ECONNRESET',
        'websocket completed',
        'After 5 ms the turns 1 still run; wait longer, or end them.',
      ];
      assert.deepEqual(
        run.stdout
          .trim()
          .split('\n')
          .filter((line) => !/^TAP|^1\.\.|^#/.test(line)),
        said,
        run.stderr,
      );
    });
  }
});
