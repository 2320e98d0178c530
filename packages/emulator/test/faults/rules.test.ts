import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { ScriptError, startEmulator, type Emulator, type EmulatorOptions, type FaultRule } from '../../dist/index.js';
import { json, post, postJson, RawSocket } from '../wire.js';

const CREATE = { model: 'm', input: 'one two three' };

async function start(t: TestContext, options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

test('a rule strikes by turn, connection, transport, model and input, and at most `times` times', async (t) => {
  const refuse = (status: number) => `error status=${status}`;
  const faults: FaultRule[] = [
    { on: { turn: 2 }, do: refuse(502) },
    { on: { model: '/^slow/' }, do: { fault: 'error', status: 504 } },
    { on: { input: 'weather', transport: 'sse' }, do: refuse(429) },
    { on: { input: 'twice', times: 2 }, do: refuse(500) },
  ];
  const emulator = await start(t, { faults });
  const status = async (body: object) => (await post(emulator.url, { ...CREATE, ...body })).status;
  assert.equal(await status({}), 200);
  assert.equal(await status({}), 502);
  assert.equal(await status({ model: 'slow-1' }), 504);
  assert.equal(await status({ input: 'the weather', stream: true }), 429);
  assert.equal(await status({ input: 'the weather' }), 200);
  assert.deepEqual(
    [await status({ input: 'twice' }), await status({ input: 'twice' }), await status({ input: 'twice' })],
    [500, 500, 200],
  );
});

test('connect-rate refuses upgrades above its rate (A4)', async (t) => {
  const emulator = await start(t, { faults: [{ do: 'connect-rate per_second=2' }] });
  const answers = await Promise.all(
    [1, 2, 3, 4].map(
      () =>
        new Promise((resolve) => {
          const socket = new WebSocket(`${emulator.url.replace('http', 'ws')}/responses`);
          socket.once('open', () => resolve(101));
          socket.once('unexpected-response', (_, response) => resolve(response.statusCode));
          socket.on('error', () => undefined);
        }),
    ),
  );
  assert.equal(answers.filter((status) => status === 101).length, 2);
  assert.equal(answers.filter((status) => status === 403).length, 2);
  assert.equal((await postJson(emulator.url, CREATE)).httpStatus, 200);
});

test('rules are read from a script and from a file, and their mistakes are named with the place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-faults-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'faults.yaml');
  await writeFile(file, 'faults:\n  - on: { turn: 1 }\n    do: error status=503\n');
  const byFile = await start(t, { faults: file });
  assert.equal((await postJson(byFile.url, CREATE)).httpStatus, 503);
  const inScript = await start(t, { script: { turns: [{ text: 'hi' }], faults: [{ do: 'empty-output' }] } });
  assert.deepEqual((await postJson(inScript.url, CREATE))['output'], []);

  for (const [text, said] of [
    ['do: clsoe', 'there is no fault "clsoe"'],
    ['do: close code=1006', 'use "end"'],
    ['do: close speed=3', 'has no parameter "speed"'],
    ['do: close after', 'is not of the form key=value'],
    ['{ on: { turn: 1 }, do: refuse }', '"on.turn" cannot be known yet'],
  ] as const) {
    await writeFile(file, `faults:\n  - ${text}\n`);
    await assert.rejects(startEmulator({ faults: file }), (error) => {
      assert.ok(error instanceof ScriptError);
      assert.ok(error.message.includes(said), error.message);
      assert.equal(error.place?.line, 2);
      return true;
    });
  }
});

test('connect-rate is refused in the header and in the metadata of a request', async (t) => {
  const { url } = await start(t);
  const fault = 'connect-rate per_second=2';
  const asked = [
    await post(url, CREATE, { headers: { 'x-turnwire-fault': fault } }),
    await post(url, { ...CREATE, metadata: { turnwire_fault: fault } }),
  ];
  for (const response of asked) {
    assert.equal(response.status, 400);
    const { error } = json(await response.text());
    assert.equal(error['code'], 'invalid_fault');
    assert.match(error['message'], /"connect-rate" counts the upgrades of all clients; write a rule for it/);
  }
});

test('a misspelt fault or parameter is refused with the one that was meant', async () => {
  for (const [wrong, meant] of [
    ['eror status=429', 'error'],
    ['black_hole', 'black-hole'],
    ['close afer=3', 'after'],
    ['throttle bytes_per_secnd=10', 'bytes_per_second'],
    ['close after=opne', 'open'],
    ['error shape=flatt', 'flat'],
  ] as const) {
    await assert.rejects(startEmulator({ faults: [{ do: wrong }] }), new RegExp(`did you mean "${meant}"`));
  }
});

test('a request with a misspelt header or metadata field for faults is refused with the right one', async (t) => {
  const { url } = await start(t);
  for (const [asked, right] of [
    [await post(url, CREATE, { headers: { 'x-turnwire-faults': 'drop' } }), 'x-turnwire-fault'],
    [await post(url, { ...CREATE, metadata: { turnwire_faluts: 'drop' } }), 'metadata.turnwire_fault'],
  ] as const) {
    assert.equal(asked.status, 400);
    const { error } = json(await asked.text());
    assert.deepEqual([error['code'], error['message'].includes(`did you mean '${right}'.`)], ['invalid_fault', true]);
  }
  const upgraded = new RawSocket(url, { 'x-turnwire-falut': 'drop' });
  const [, refusal] = (await once(upgraded.socket, 'unexpected-response')) as [unknown, IncomingMessage];
  assert.equal(refusal.statusCode, 400);
  refusal.resume();
});
