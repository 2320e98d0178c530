import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EmulatorError, startEmulator, startRecorder, type ReplayOptions } from '../../dist/index.js';
import { json, parseSse, post, RawSocket, terminal, type Json } from '../wire.js';

const CREATE = { model: 'm', input: 'one two three' };
const options = { timeout: 30_000 };

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-record-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'run.jsonl');
}

/** An emulator, and a recorder in front of it. */
async function startRecording(t: TestContext, emulatorOptions = {}) {
  const emulator = await startEmulator(emulatorOptions);
  t.after(() => emulator.close());
  const file = await scratch(t);
  const recorder = await startRecorder({ upstream: emulator.url, file });
  t.after(() => recorder.close());
  return { emulator, recorder, file };
}

async function startReplay(t: TestContext, replay: ReplayOptions) {
  const emulator = await startEmulator({ replay: { timing: 'at-once', ...replay } });
  t.after(() => emulator.close());
  return emulator;
}

/** Runs one conversation over each transport. Returns all that the client receives. */
async function conversation(url: string): Promise<unknown> {
  const headers = { authorization: 'Bearer sk-sentinel-0123456789', 'content-type': 'application/json' };
  const seen: unknown[] = [];
  const sse = await post(url, { ...CREATE, stream: true }, { headers });
  const events = parseSse(await sse.text());
  seen.push(sse.status, events);
  const id = json(events.at(-1)?.data ?? '')['response']['id'];
  const next = await post(url, { ...CREATE, input: 'and then?', previous_response_id: id }, { headers });
  seen.push(next.status, await next.text());
  const missing = await post(url, { ...CREATE, previous_response_id: 'resp_none' }, { headers });
  seen.push(missing.status, await missing.text());
  const fetched = await fetch(`${url}/responses/${id}?include[]=x`, { headers });
  seen.push(fetched.status, await fetched.text());

  const socket = await RawSocket.open(url, headers);
  const first = await socket.ask({ ...CREATE, store: false });
  seen.push(
    first,
    await socket.ask({ ...CREATE, store: false, previous_response_id: terminal(first)['response']['id'] }),
  );
  seen.push(await socket.ask({ ...CREATE, previous_response_id: 'resp_none' }));
  socket.socket.close(1000);
  seen.push(await socket.closed);
  const broken = await RawSocket.open(url, { ...headers, 'x-turnwire-fault': 'close after=3 code=1012 reason=later' });
  broken.create(CREATE);
  const frames = [await broken.frame(), await broken.frame(), await broken.frame()];
  seen.push(frames, await broken.closed);
  return seen;
}

test('a replay sends the recorded bytes unchanged, over both transports', options, async (t) => {
  const { recorder, file } = await startRecording(t);
  const recorded = await conversation(recorder.url);
  await recorder.close();
  const emulator = await startReplay(t, { file });
  assert.deepEqual(await conversation(emulator.url), recorded);
  const outcomes = emulator.journal.turns().map(({ transport, outcome, status }) => [transport, outcome, status]);
  assert.deepEqual(outcomes.slice(0, 4), [
    ['sse', 'completed', undefined],
    ['json', 'completed', undefined],
    ['json', 'refused', 400],
    ['websocket', 'completed', undefined],
  ]);
});

test('a recording contains no credential of a request or an answer', options, async (t) => {
  const secret = 'sk-sentinel-0123456789';
  const { recorder, file } = await startRecording(t);
  const headers = { authorization: `Bearer ${secret}`, 'api-key': `azure-${secret}`, cookie: `session=c-${secret}` };
  const tools = [{ type: 'mcp', server_label: 's', server_url: 'https://x', authorization: `mcp-${secret}` }];
  await (await fetch(`${recorder.url}/responses?key=q-${secret}&limit=2`, { headers })).text();
  // The emulator echoes the key, as servers do in the error about a wrong key.
  await (await post(recorder.url, { model: 'm', input: `my key is ${secret}`, tools }, { headers })).text();
  const socket = await RawSocket.open(recorder.url, headers);
  await socket.ask({ model: 'm', input: 'again', tools, previous_response_id: secret });
  socket.close();
  await recorder.close();
  const text = await readFile(file, 'utf8');
  assert.ok(text.includes('my key is [redacted]'));
  assert.ok(text.includes('/responses?key=[redacted]&limit=2'));
  assert.ok(
    !text.includes('sentinel'),
    text.split('\n').find((line) => line.includes('sentinel')),
  );
  if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test(
  'the recorder writes each line before it passes the event on, so a killed recorder leaves a readable file',
  options,
  async (t) => {
    const emulator = await startEmulator();
    t.after(() => emulator.close());
    const file = await scratch(t);
    const bin = fileURLToPath(new URL('../../../turnwire/bin/turnwire.js', import.meta.url));
    const child = spawn(process.execPath, [bin, 'record', '--json', '--to', file, '--', emulator.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    const { url } = json(String(line));
    const socket = await RawSocket.open(url, { authorization: 'Bearer sk-sentinel-0123456789' });
    const events = await socket.ask(CREATE);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(!(await readFile(file, 'utf8')).includes('sentinel'));
    const replayed = await startReplay(t, { file });
    const again = await RawSocket.open(replayed.url);
    assert.deepEqual(await again.ask(CREATE), events);
    again.close();
  },
);

test('the recorder passes events on as they arrive, before the answer has ended', options, async (t) => {
  const { recorder } = await startRecording(t);
  const fault = { headers: { 'x-turnwire-fault': 'stall after=1' } };
  const stream = await post(recorder.url, { ...CREATE, stream: true }, fault);
  const reader = stream.body?.getReader();
  const first = await reader?.read();
  assert.match(new TextDecoder().decode(first?.value), /^event: response\.created\n/);
  await reader?.cancel();
  const socket = await RawSocket.open(recorder.url, fault.headers);
  socket.create(CREATE);
  assert.equal(json(await socket.frame())['type'], 'response.created');
  socket.close();
});

test(
  'strict: the refusal of a mismatch names the expected and the received value, and the first difference',
  options,
  async (t) => {
    const { recorder, file } = await startRecording(t);
    const item = (text: string) => ({ role: 'user', content: [{ type: 'input_text', text }] });
    await (await post(recorder.url, { model: 'm', input: [item('a'), item('b')] })).text();
    const socket = await RawSocket.open(recorder.url);
    await socket.ask({ model: 'm', input: [item('c')] });
    socket.close();
    await recorder.close();

    const emulator = await startReplay(t, { file });
    const wrong = await post(emulator.url, { model: 'm', input: [item('a'), item('x')] });
    const refused = json(await wrong.text())['error'];
    assert.equal(wrong.status, 400);
    assert.deepEqual([refused['code'], refused['param']], ['replay_mismatch', 'input[1].content[0].text']);
    assert.match(
      String(refused['message']),
      /run\.jsonl:2\); first at input\[1\]\.content\[0\]\.text: expected "b", got "x"\.$/,
    );
    // The order of keys is ignored, and the expected request is still accepted.
    const right = await post(emulator.url, { input: [item('a'), item('b')], model: 'm', stream: false });
    assert.equal(right.status, 200);
    const more = json(await (await post(emulator.url, { model: 'm', input: [item('a'), item('b')] })).text());
    assert.match(String(more['error']['message']), /run\.jsonl:\d+\);.* expected "c", got "a"\.$/);

    // The first difference is repeated until a request equals the recorded one again.
    const replayed = await RawSocket.open(emulator.url);
    const frame = terminal(await replayed.ask({ model: 'other', input: [item('c')] }));
    assert.deepEqual(
      [frame['type'], frame['status'], frame['error']['message']],
      ['error', 400, String(more['error']['message'])],
    );
    assert.equal(terminal(await replayed.ask({ model: 'm', input: [item('c')] }))['type'], 'response.completed');
    replayed.close();
    const unknown = await fetch(`${emulator.url}/models`);
    assert.equal(unknown.status, 400);
    assert.match(await unknown.text(), /replay_mismatch/);
  },
);

test('loose: a request gets the next recorded answer, whatever its contents are', options, async (t) => {
  const { recorder, file } = await startRecording(t);
  const recorded = await (await post(recorder.url, CREATE)).text();
  const socket = await RawSocket.open(recorder.url);
  const first = await socket.ask(CREATE);
  const second = await socket.ask({ ...CREATE, input: 'four' });
  socket.close();
  await recorder.close();
  const emulator = await startReplay(t, { file, mode: 'loose' });
  assert.equal(await (await post(emulator.url, { model: 'x', input: 'y' })).text(), recorded);
  const one = await RawSocket.open(emulator.url);
  assert.deepEqual(await one.ask({ model: 'x', input: 'y' }), first);
  one.close();
  // The client opens more sockets than in the recording, and the conversation goes on.
  const two = await RawSocket.open(emulator.url);
  assert.deepEqual(await two.ask({ model: 'x', input: 'y' }), second);
  two.close();
});

test('a replay keeps the recorded pauses, or shortens them', options, async (t) => {
  const { recorder, file } = await startRecording(t);
  const fault = { headers: { 'x-turnwire-fault': 'stall after=1 ms=300' } };
  await (await post(recorder.url, { ...CREATE, stream: true }, fault)).text();
  await recorder.close();
  const took = async (timing: ReplayOptions['timing']) => {
    const emulator = await startReplay(t, { file, timing });
    const began = performance.now();
    await (await post(emulator.url, { ...CREATE, stream: true })).text();
    return performance.now() - began;
  };
  assert.ok((await took('recorded')) >= 290);
  assert.ok((await took(2)) >= 140);
  assert.ok((await took('at-once')) < 290);
});

test('a replay repeats refused upgrades, cut bodies and resets', options, async (t) => {
  const { recorder, file } = await startRecording(t);
  // The replayed requests ask for no faults, because the effects of the faults are recorded.
  const seen = async (url: string, ask: boolean): Promise<unknown> => {
    const attempts: unknown[] = [];
    for (const fault of ['refuse status=426 headers={"retry-after":"3"}', 'cut after=1', 'reset after=1']) {
      attempts.push(await rawUpgrade(url, ask ? { 'x-turnwire-fault': fault } : {}));
    }
    for (const fault of ['cut after=2 bytes=30', 'refuse status=429', 'reset after=1']) {
      attempts.push(await rawPost(url, ask ? `X-Turnwire-Fault: ${fault}\r\n` : ''));
    }
    return attempts;
  };
  const recorded = await seen(recorder.url, true);
  await recorder.close();
  const emulator = await startReplay(t, { file });
  assert.deepEqual(await seen(emulator.url, false), recorded);
});

/** What a TCP client receives for an upgrade: the status, the events of the socket, and how the socket ended. */
async function rawUpgrade(url: string, headers: Record<string, string>): Promise<unknown> {
  const raw = new RawSocket(url, headers);
  const refused = await new Promise<number>((resolve) => {
    raw.socket.once('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0);
      raw.socket.on('error', () => undefined);
      raw.closed.catch(() => undefined);
      raw.close();
    });
    raw.socket.once('open', () => resolve(101));
  });
  if (refused !== 101) return refused;
  raw.create(CREATE);
  const frames: Json[] = [];
  try {
    for (;;) frames.push(json(await raw.frame())['type']);
  } catch {
    return [frames, await raw.closed];
  }
}

/** The received part of the body of a POST, and the error that ended it. */
function rawPost(url: string, header: string): Promise<unknown> {
  const { port } = new URL(url);
  const body = JSON.stringify({ ...CREATE, stream: true });
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n` +
      `${header}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  let text = '';
  let failed: string | undefined;
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => void (failed = error.code));
  return new Promise((resolve) => {
    socket.once('close', () => resolve([text.slice(9, 12), text.match(/event: response.*/g), failed]));
  });
}

test(
  'a recorder whose upstream cannot be reached answers with a 502 that names it, on both transports',
  options,
  async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    const recorder = await startRecorder({ upstream: `http://127.0.0.1:${port}/v1`, file: await scratch(t) });
    t.after(() => recorder.close());
    const answer = await post(recorder.url, CREATE);
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), new RegExp(`127\\.0\\.0\\.1:${port} cannot be reached: ECONNREFUSED`));
    assert.equal(await rawUpgrade(recorder.url, {}), 502);
  },
);

test('invalid options and files are refused in one sentence', options, async (t) => {
  const file = await scratch(t);
  for (const upstream of ['nonsense', 'ftp://x', 'https://user:pass@host/v1', 'https://host/v1?key=1']) {
    await assert.rejects(
      startRecorder({ upstream, file }),
      (error) => error instanceof EmulatorError && error.code === 'invalid_option',
    );
  }
  await writeFile(file, '');
  await assert.rejects(startRecorder({ upstream: 'http://127.0.0.1:1', file }), /exists already/);
  const header = '{"turnwire":"recording","version":1,"started":"2026-01-01T00:00:00Z","upstream":"http://x"}\n';
  for (const [text, said] of [
    ['', /:1: it is empty/],
    ['{"type":"response.created"}\n', /:1: /],
    [header.replace('"version":1', '"version":2'), /:1: its format has version 2/],
    [`${header}no json\n`, /:2: this is not JSON/],
    [`${header}{"at":1,"exchange":1,"kind":"nonsense"}\n`, /:2: "kind" is not as the format says/],
  ] as const) {
    await writeFile(file, text);
    await assert.rejects(startEmulator({ replay: { file } }), (error) => {
      assert.ok(error instanceof EmulatorError && error.code === 'invalid_recording');
      assert.match(error.message, said);
      return true;
    });
  }
  await assert.rejects(startEmulator({ replay: { file: 'no-such-file' } }), /there is no such file/);
  await assert.rejects(startEmulator({ replay: { file }, script: { turns: [{ text: 'x' }] } }), /exclude each other/);
});

test('the recordings shipped with the tests replay over both transports', options, async (t) => {
  const folder = fileURLToPath(new URL('../../test/recorded/', import.meta.url));
  const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl'));
  assert.ok(files.length > 0);
  for (const name of files) {
    const file = join(folder, name);
    const lines: Json[] = (await readFile(file, 'utf8')).trimEnd().split('\n').map(json);
    const emulator = await startReplay(t, { file });
    for (const upgrade of lines.filter(({ kind }) => kind === 'upgrade')) {
      const own = lines.filter(({ exchange, kind }) => exchange === upgrade['exchange'] && kind === 'frame');
      const socket = await RawSocket.open(emulator.url);
      for (const { from, text } of own) {
        if (from === 'client') socket.socket.send(text);
        else assert.equal(await socket.frame(), text, name);
      }
      socket.close();
    }
    for (const request of lines.filter(({ kind }) => kind === 'request')) {
      const own = lines.filter(({ exchange }) => exchange === request['exchange']);
      const body = own.find(({ kind, from }) => kind === 'body' && from === 'client');
      const answer = await fetch(emulator.url + request['path'], {
        method: request['method'],
        ...(body && { body: body['text'] }),
      });
      assert.equal(answer.status, own.find(({ kind }) => kind === 'answer')['status']);
      const sent = own.filter(({ kind, from }) => kind === 'event' || (kind === 'body' && from === 'server'));
      const streamed = own.some(({ kind }) => kind === 'event');
      assert.equal(await answer.text(), sent.map(({ text }) => (streamed ? `${text}\n\n` : text)).join(''), name);
    }
  }
});
