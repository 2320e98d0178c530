import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const bundle = fileURLToPath(new URL('../bundle/index.cjs', import.meta.url));

/** The globals of Node.js that the jsdom environment of Jest lacks. */
const missing =
  'structuredClone setImmediate clearImmediate TextEncoder TextDecoder BroadcastChannel fetch Request Response Headers'
    .concat(' ReadableStream WritableStream TransformStream')
    .split(' ');

const program = `
for (const name of ${JSON.stringify(missing)}) delete globalThis[name];
const { startEmulator } = require(${JSON.stringify(bundle)});
const { WebSocket } = require('ws');
const { request } = require('node:http');
const { once } = require('node:events');

async function main() {
  const emulator = await startEmulator({ script: { turns: [{ text: 'Grüße.' }], after: 'echo' } });
  const body = JSON.stringify({ model: 'm', input: 'ü'.repeat(300_000), max_output_tokens: 16 });
  const asked = request(emulator.url + '/responses', { method: 'POST' });
  asked.end(body);
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  const socket = new WebSocket(emulator.url.replace('http', 'ws') + '/responses');
  await once(socket, 'open');
  for (const stream_id of ['a', 'b']) socket.send(JSON.stringify({ type: 'response.create', stream_id, model: 'm', input: 'x' }));
  await new Promise((done) => {
    let ended = 0;
    socket.on('message', (raw) => String(raw).includes('"response.completed"') && (ended += 1) === 2 && done());
  });
  await emulator.settled();
  const { journal } = emulator;
  console.log(JSON.parse(text).output[0].content[0].text, journal.turns().length, journal.connections().length, journal.requests().length);
  socket.terminate();
  await emulator.close();
}
main();
`;

test('the emulator runs without the globals that the jsdom environment of Jest lacks', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(stdout.trim(), 'Grüße. 3 2 2', stderr);
});

const jestProgram = `
globalThis.Error = require('node:vm').runInNewContext('Error');
const { startEmulator, startRecorder } = require(${JSON.stringify(bundle)});
const { request } = require('node:http');
const { once } = require('node:events');
const { gzipSync } = require('node:zlib');
const said = (promise) => promise.then(() => 'nothing', ({ message }) => message);

async function main() {
  console.log(await said(startEmulator({ script: 'missing.yaml' })));
  console.log(await said(startRecorder({ upstream: 'http://127.0.0.1:1/v1', file: '/missing/run.jsonl' })));
  console.log(await said(startEmulator({ faults: [{ on: { input: '/(/' }, do: 'drop' }] })));
  const emulator = await startEmulator({ limits: { bodyBytes: 1000 } });
  const asked = request(emulator.url + '/responses', { method: 'POST', headers: { 'content-encoding': 'gzip' } });
  asked.end(gzipSync('x'.repeat(2000)));
  const [response] = await once(asked, 'response');
  console.log(response.statusCode);
  response.resume();
  await emulator.close();
}
main();
`;

test('the emulator reads errors of Node.js where the global Error is another one, as in the tests of Jest', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', jestProgram], { encoding: 'utf8', timeout: 60_000 });
  const [script, recording, faults, status] = stdout.trim().split('\n');
  assert.equal(script, 'The script missing.yaml cannot be read: there is no such file.', stderr);
  assert.match(String(recording), /its folder does not exist; create it first\.$/);
  assert.match(String(faults), /not a regular expression \(Invalid regular expression/);
  assert.equal(status, '413');
});
