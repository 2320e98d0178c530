import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { EmulatorError, startEmulator, startRecorder, type ReplayOptions } from '../../dist/index.js';
import { json, post, RawSocket, terminal } from '../wire.js';

const options = { timeout: 30_000 };

/** Two servers that answer with their names, and one recorder in front of both. */
async function twoRecorded(t: TestContext, secrets: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-record-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'run.jsonl');
  const start = async (seed: string) => {
    const emulator = await startEmulator({ seed, script: { turns: [{ text: `I am ${seed}.` }], after: 'repeat' } });
    t.after(() => emulator.close());
    return emulator.url;
  };
  const upstream = { 'the first/one': await start('one'), second: await start('two') };
  const recorder = await startRecorder({ upstream, file, secrets });
  t.after(() => recorder.close());
  return { recorder, file, upstream };
}

async function replayOf(t: TestContext, replay: ReplayOptions): Promise<string> {
  const emulator = await startEmulator({ replay: { timing: 'at-once', ...replay } });
  t.after(() => emulator.close());
  return emulator.url;
}

const create = { model: 'm', input: 'Who are you?' };
const said = async (url: string, body = create): Promise<string> => (await post(url, body)).text();

test('a recording of several upstreams replays each by its name', options, async (t) => {
  const { recorder, file, upstream } = await twoRecorded(t);
  // Both upstreams receive the same request, so only the name tells the exchanges apart.
  const first = await said(recorder.urlOf('the first/one'));
  const second = await said(recorder.urlOf('second'));
  const socket = await RawSocket.open(recorder.urlOf('second'));
  const events = await socket.ask(create);
  socket.close();
  await recorder.close();
  assert.match(first, /I am one\./);
  assert.match(second, /I am two\./);
  assert.deepEqual(json((await readFile(file, 'utf8')).split('\n')[0] ?? '')['upstreams'], upstream);

  assert.equal(await said(await replayOf(t, { file, upstream: 'second' })), second);
  assert.equal(await said(await replayOf(t, { file, upstream: 'the first/one' })), first);
  const again = await RawSocket.open(await replayOf(t, { file, upstream: 'second' }));
  assert.deepEqual(await again.ask(create), events);
  again.close();
  const none = await RawSocket.open(await replayOf(t, { file })).then((raw) => raw.ask(create));
  assert.deepEqual(none, events);
  await assert.rejects(
    startEmulator({ replay: { file, upstream: 'third' } }),
    /has nothing of "third": there is the first\/one, second\.$/,
  );
});

test('a recorder of several upstreams answers any other path with 404', options, async (t) => {
  const { recorder } = await twoRecorded(t);
  const { origin } = new URL(recorder.url);
  assert.equal((await post(`${origin}/v1`, create)).status, 404);
  assert.equal((await post(`${origin}/third/v1`, create)).status, 404);
  assert.throws(() => recorder.urlOf('third'), EmulatorError);
  const upgrade = new RawSocket(`${origin}/third/v1`);
  upgrade.socket.on('error', () => undefined);
  upgrade.closed.catch(() => undefined);
  const [, answer] = await once(upgrade.socket, 'unexpected-response');
  assert.equal((answer as IncomingMessage).statusCode, 404);
  upgrade.close();
});

test('a recording contains no text of the option `secrets`', options, async (t) => {
  const { recorder, file } = await twoRecorded(t, ['hunter2-hunter2', 'with "quotes"']);
  await said(recorder.url, { ...create, input: 'hunter2-hunter2 and with "quotes" and short' });
  await recorder.close();
  const text = await readFile(file, 'utf8');
  assert.ok(text.includes('[redacted] and [redacted] and short'));
  assert.ok(!text.includes('hunter2'));
  // A redacted text equals any text, so the replay accepts the secret.
  const replayed = await replayOf(t, { file, upstream: 'the first/one' });
  assert.match(await said(replayed, { ...create, input: 'hunter2-hunter2 and with "quotes" and short' }), /I am one/);
});

test('loose: onDifference is called for each difference, with its place', options, async (t) => {
  const { recorder, file } = await twoRecorded(t);
  await said(recorder.url);
  const socket = await RawSocket.open(recorder.url);
  await socket.ask(create);
  socket.close();
  await recorder.close();
  const told: string[] = [];
  const url = await replayOf(t, { file, mode: 'loose', onDifference: (message) => void told.push(message) });
  assert.match(await said(url, { ...create, input: 'Who am I?' }), /I am one/);
  const again = await RawSocket.open(url);
  await again.ask({ ...create, model: 'other' });
  again.close();
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /run\.jsonl:2\); first at input: expected "Who are you\?", got "Who am I\?"\.$/);
  assert.match(told[1] ?? '', /first at model: expected "m", got "other"\.$/);
});

test('a replay closes a socket where the client had opened another one', options, async (t) => {
  const { recorder, file } = await twoRecorded(t);
  for (const input of ['before', 'after']) {
    const socket = await RawSocket.open(recorder.url);
    await socket.ask({ ...create, input });
    socket.socket.terminate();
    await socket.closed;
  }
  await recorder.close();
  const url = await replayOf(t, { file, upstream: 'the first/one' });
  const first = await RawSocket.open(url);
  assert.equal(terminal(await first.ask({ ...create, input: 'before' }))['type'], 'response.completed');
  // The client closed the socket, because of its age for example. In a faster replay the server closes it.
  assert.equal(await first.closed, 1001);
  const second = await RawSocket.open(url);
  assert.equal(terminal(await second.ask({ ...create, input: 'after' }))['type'], 'response.completed');
  second.close();
});
