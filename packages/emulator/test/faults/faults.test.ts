import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../dist/index.js';
import { faultTexts } from '../../dist/faults/fault.js';
import { json, parseSse, post, postJson, postSse, RawSocket, terminal, type Json } from '../wire.js';

const CREATE = { model: 'm', input: 'one two three' };

async function start(t: TestContext, options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  return emulator;
}

/** What a socket receives for one create: the frames in order and, if the socket closes, its code. */
async function onSocket(url: string, fault: string, body: object = CREATE): Promise<{ events: Json[]; code: number }> {
  const socket = await RawSocket.open(url, { 'x-turnwire-fault': fault });
  socket.create(body);
  const events: Json[] = [];
  try {
    for (;;) events.push(json(await socket.frame()));
  } catch {
    return { events, code: await socket.closed };
  }
}

/** The frames of a socket's first create, up to its terminal event. */
async function turnOnSocket(url: string, fault: string, body: object = CREATE): Promise<readonly Json[]> {
  const socket = await RawSocket.open(url, { 'x-turnwire-fault': fault });
  const events = await socket.ask(body);
  socket.close();
  return events;
}

/** The received part of an event stream, and whether its body ended properly. */
async function overSse(url: string, fault: string): Promise<{ status: number; text: string; whole: boolean }> {
  const response = await post(url, { ...CREATE, stream: true }, { headers: { 'x-turnwire-fault': fault } });
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { status: response.status, text, whole: true };
  } catch {
    return { status: response.status, text, whole: false };
  }
}

const types = (events: readonly Json[]) => events.map((event) => String(event['type']));

/** The bytes that answer an upgrade. */
async function upgradeAnswer(emulator: Emulator, fault: string): Promise<string> {
  const socket = connect(emulator.port, '127.0.0.1');
  socket.write(
    'GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Turnwire-Fault: ${fault}\r\n\r\n`,
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  await once(socket, 'close');
  return answer;
}

/** Each fault by its name, as docs/emulator-faults.md shows it. */
const SHOWN: Readonly<Record<string, (emulator: Emulator) => Promise<void>>> = {
  async refuse(emulator) {
    const answer = await upgradeAnswer(emulator, 'refuse status=426 headers={"Retry-After":"2"} body="<h1>no</h1>"');
    assert.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.match(answer, /\r\nretry-after: 2\r\n/i);
    assert.ok(answer.endsWith('\r\n\r\n<h1>no</h1>'));
    const { status, text } = await overSse(emulator.url, 'refuse status=429');
    assert.equal(status, 429);
    assert.equal(json(text)['error']['code'], 'fault');
  },
  async 'connect-rate'(emulator) {
    assert.ok(emulator.url); // rules.test.ts tests this fault, because one request alone has no rate.
  },
  async stall(emulator) {
    const began = performance.now();
    const { text } = await overSse(emulator.url, 'stall after=2 ms=60');
    assert.ok(performance.now() - began >= 55);
    assert.equal(parseSse(text).at(-1)?.event, 'response.completed');
    const socket = await RawSocket.open(emulator.url, { 'x-turnwire-fault': 'stall after=1' });
    socket.create(CREATE);
    assert.equal(json(await socket.frame())['type'], 'response.created');
    assert.equal(emulator.journal.turns().at(-1)?.outcome, 'running');
    socket.close();
  },
  async close(emulator) {
    const { events, code } = await onSocket(emulator.url, 'close after=3 code=1012 reason="try later"');
    assert.deepEqual(types(events), ['response.created', 'response.in_progress', 'response.output_item.added']);
    assert.equal(code, 1012);
    const { text, whole } = await overSse(emulator.url, 'close after=1');
    assert.ok(whole);
    assert.deepEqual(
      parseSse(text).map(({ event }) => event),
      ['response.created'],
    );
  },
  async end(emulator) {
    const { events, code } = await onSocket(emulator.url, 'end after=1');
    assert.deepEqual([types(events), code], [['response.created'], 1006]);
    assert.equal((await overSse(emulator.url, 'end after=1')).whole, false);
  },
  async reset(emulator) {
    // The reset comes before any event, because libuv reports a reset that arrives together with data as an end.
    const socket = new RawSocket(emulator.url, { 'x-turnwire-fault': 'reset' });
    const opened = once(socket.socket, 'open');
    const [{ socket: tcp }] = await once(socket.socket, 'upgrade');
    // ws does not report the reset of its socket, so the TCP socket is watched.
    const failed = once(tcp, 'close', { signal: AbortSignal.timeout(10_000) }).catch((error: unknown) => [error]);
    await opened;
    socket.create(CREATE);
    assert.equal(await socket.closed, 1006);
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
  },
  async cut(emulator) {
    const { events, code } = await onSocket(emulator.url, 'cut after=1');
    assert.deepEqual([types(events), code], [['response.created'], 1006]);
    const { text, whole } = await overSse(emulator.url, 'cut after=1 bytes=20');
    assert.equal(whole, false);
    assert.ok(text.endsWith('\n\nevent: response.in_p'), text);
  },
  async 'black-hole'(emulator) {
    const socket = await RawSocket.open(emulator.url, { 'x-turnwire-fault': 'black-hole after=1' });
    socket.create(CREATE);
    await socket.frame();
    socket.socket.ping();
    socket.create(CREATE);
    // The emulator reads nothing from the first socket: when a second socket was served, the create of the first has not arrived.
    const other = await RawSocket.open(emulator.url);
    await other.ask(CREATE);
    const mine = emulator.journal
      .turns()
      .filter(({ connection }) => connection !== emulator.journal.turns().at(-1)?.connection);
    assert.equal(mine.at(-1)?.outcome, 'running');
    assert.equal(socket.socket.readyState, WebSocket.OPEN);
    socket.close();
    other.close();
  },
  async throttle(emulator) {
    const began = performance.now();
    const plain = (await turnOnSocket(emulator.url, 'stall ms=0')).length;
    const events = await turnOnSocket(emulator.url, 'throttle bytes_per_second=20000');
    const bytes = events.reduce((sum: number, event: Json) => sum + JSON.stringify(event).length, 0);
    assert.equal(events.length, plain);
    assert.ok(performance.now() - began >= (bytes / 20_000) * 1000 * 0.9);
    assert.equal(parseSse((await overSse(emulator.url, 'throttle bytes_per_second=100000')).text).length, plain);
  },
  async 'no-pong'(emulator) {
    const silent = await RawSocket.open(emulator.url, { 'x-turnwire-fault': 'no-pong' });
    const talking = await RawSocket.open(emulator.url);
    let pongs = 0;
    silent.socket.on('pong', () => (pongs += 1));
    silent.socket.ping();
    // A pong would arrive before the answer to a create that is sent after the ping.
    await silent.ask(CREATE);
    assert.equal(pongs, 0);
    talking.socket.ping();
    await once(talking.socket, 'pong');
    silent.close();
    talking.close();
  },
  async error(emulator) {
    const events = await turnOnSocket(emulator.url, 'error after=2 status=429 code=rate_limit_exceeded');
    assert.deepEqual(types(events), ['response.created', 'response.in_progress', 'error']);
    assert.deepEqual([terminal(events)['status'], terminal(events)['error']['code']], [429, 'rate_limit_exceeded']);
    const { status, text } = await overSse(emulator.url, 'error status=503 headers={"retry-after":"1"}');
    assert.equal(status, 503);
    assert.equal(json(text)['error']['code'], 'server_error');
  },
  async 'connection-limit'(emulator) {
    const { events, code } = await onSocket(emulator.url, 'connection-limit after=1');
    assert.deepEqual(types(events), ['response.created', 'error']);
    assert.equal(terminal(events)['error']['code'], 'websocket_connection_limit_reached');
    assert.equal(code, 1000);
    const idle = await onSocket(emulator.url, 'connection-limit after=terminal code=1001');
    assert.deepEqual(types(idle.events).slice(-2), ['response.completed', 'error']);
    assert.equal(idle.code, 1001);
  },
  async forget(emulator) {
    const first = await postJson(emulator.url, CREATE);
    const body = { ...CREATE, previous_response_id: first['id'], metadata: { turnwire_fault: 'forget' } };
    const refused = await postJson(emulator.url, body);
    assert.deepEqual([refused.httpStatus, refused['error']['code']], [400, 'previous_response_not_found']);
    const { metadata: _, ...again } = body;
    assert.equal((await postJson(emulator.url, again)).httpStatus, 400);
  },
  async drop(emulator) {
    const { text, whole } = await overSse(emulator.url, 'drop');
    assert.ok(whole);
    assert.equal(parseSse(text).at(-1)?.event, 'response.output_item.done');
    const second = parseSse((await overSse(emulator.url, 'drop event=response.in_progress')).text)[1];
    assert.equal(second?.event, 'response.output_item.added');
  },
  async 'empty-output'(emulator) {
    const last = terminal(await turnOnSocket(emulator.url, 'empty-output'));
    assert.deepEqual([last['type'], last['response']['output']], ['response.completed', []]);
    const response = await post(emulator.url, CREATE, { headers: { 'x-turnwire-fault': 'empty-output' } });
    assert.deepEqual(json(await response.text())['output'], []);
  },
  async repeat(emulator) {
    const { text } = await overSse(emulator.url, 'repeat times=2');
    const names = parseSse(text).map(({ event }) => event);
    assert.deepEqual(names.slice(-3), ['response.completed', 'response.completed', 'response.completed']);
  },
  async reorder(emulator) {
    const names = types(await turnOnSocket(emulator.url, 'reorder event=1'));
    assert.deepEqual(names.slice(0, 3), ['response.in_progress', 'response.created', 'response.output_item.added']);
  },
  async 'wrong-id'(emulator) {
    const events = await turnOnSocket(emulator.url, 'wrong-id after=1');
    assert.notEqual(terminal(events)['response']['id'], events[0]['response']['id']);
  },
  async stray(emulator) {
    const { text } = await overSse(emulator.url, 'stray');
    const names = parseSse(text).map(({ event }) => event);
    assert.deepEqual(names.slice(0, 3), ['response.output_text.delta', 'response.completed', 'response.created']);
  },
};

for (const fault of Object.keys(faultTexts)) {
  test(`fault ${fault}`, { timeout: 20_000 }, async (t) => {
    const emulator = await start(t);
    await (SHOWN[fault] ?? assert.fail(`No test shows the fault ${fault}.`))(emulator);
  });
}

test('the journal names the faults that struck', { timeout: 20_000 }, async (t) => {
  const emulator = await start(t);
  await onSocket(emulator.url, 'close after=1; drop event=99');
  while (emulator.journal.turns()[0]?.outcome === 'running') await new Promise((resolve) => setImmediate(resolve));
  const [turn] = emulator.journal.turns();
  assert.equal(turn?.outcome, 'aborted');
  assert.deepEqual(turn?.faults, ['close after=1 code=1011']);
});

test('P61, P63, P64, P65, P66: the fault error writes every error shape, before and after response.created, on both transports', async (t) => {
  const emulator = await start(t);
  const shapes: Readonly<Record<string, (event: Json) => unknown>> = {
    nested: (event) => event['status'] === 500 && event['error']['code'],
    flat: (event) => event['error'] === undefined && event['code'],
    typeless: (event) => event['type'] === undefined && event['error']['code'],
    status_code: (event) => event['status'] === undefined && event['status_code'] === 500 && event['error']['code'],
    string: (event) => event['error'] === 'A fault was asked for.' && 'server_error',
    'no-code': (event) => !('code' in event['error']) && 'server_error',
    'top-headers': (event) => event['headers']['retry-after'] === '1' && event['error']['code'],
    bare: (event) => JSON.stringify(event) === '{"type":"error"}' && 'server_error',
    failed: (event) => event['type'] === 'response.failed' && event['response']['error']['code'],
  };
  for (const [shape, codeIn] of Object.entries(shapes)) {
    for (const after of [0, 2]) {
      const fault = `error shape=${shape} after=${after} headers={"retry-after":"1"}`;
      const socket = await RawSocket.open(emulator.url, { 'x-turnwire-fault': fault });
      socket.create(CREATE);
      const events: Json[] = [];
      for (let i = 0; i <= after; i += 1) events.push(json(await socket.frame()));
      assert.equal(codeIn(events.at(-1)), 'server_error', `${shape} after ${after}`);
      // P61: the socket stays usable.
      assert.equal(terminal(await socket.ask(CREATE))['type'], 'response.completed');
      socket.close();
      const { status, text } = await overSse(emulator.url, fault);
      const asStatus = after === 0 && shape !== 'failed';
      assert.equal(status, asStatus ? 500 : 200, `${shape} after ${after}`);
      if (!asStatus) assert.equal(codeIn(json(parseSse(text).at(-1)?.data ?? '')), 'server_error');
    }
  }
});

test('an error of a fault evicts the response that the turn continued, as any error does (P72)', async (t) => {
  const emulator = await start(t);
  const socket = await RawSocket.open(emulator.url);
  const first = terminal(await socket.ask({ ...CREATE, store: false }))['response']['id'];
  const next = { ...CREATE, store: false, previous_response_id: first };
  await socket.ask({ ...next, metadata: { turnwire_fault: 'error after=1' } });
  assert.equal(terminal(await socket.ask(next))['error']['code'], 'previous_response_not_found');
  socket.close();
});

test('faults of a connection strike before any answer, or right after the 101', async (t) => {
  const emulator = await start(t);
  assert.equal(await upgradeAnswer(emulator, 'end after=request'), '');
  const silent = connect(emulator.port, '127.0.0.1');
  silent.write(
    'GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Turnwire-Fault: stall after=request ms=50\r\n\r\n',
  );
  const began = performance.now();
  const [answer] = await once(silent.setEncoding('utf8'), 'data');
  assert.match(String(answer), /^HTTP\/1\.1 101 /);
  assert.ok(performance.now() - began >= 45);
  silent.destroy();
  // P9: a close right after the 101 rejects the connection.
  const rejected = await RawSocket.open(emulator.url, { 'x-turnwire-fault': 'close after=open code=1008' });
  assert.equal(await rejected.closed, 1008);
  const stream = await post(
    emulator.url,
    { ...CREATE, stream: true },
    { headers: { 'x-turnwire-fault': 'stall after=open' } },
  );
  assert.equal(stream.status, 200);
  await stream.body?.cancel();
});

test('the connection of a client that leaves during a stalled upgrade is closed', { timeout: 20_000 }, async (t) => {
  const emulator = await start(t, { faults: [{ do: 'stall after=request' }] });
  const socket = connect(emulator.port, '127.0.0.1');
  socket.end(
    'GET /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(socket, 'close');
  assert.ok(emulator.journal.connections()[0]?.closed);
});

test('a request for an unknown fault is refused with the name of the fault', async (t) => {
  const emulator = await start(t);
  const byField = await postJson(emulator.url, { ...CREATE, metadata: { turnwire_fault: 'explode' } });
  assert.deepEqual([byField.httpStatus, byField['error']['param']], [400, 'metadata.turnwire_fault']);
  const late = await postJson(emulator.url, { ...CREATE, metadata: { turnwire_fault: 'refuse' } });
  assert.match(String(late['error']['message']), /x-turnwire-fault/);
  assert.match(await upgradeAnswer(emulator, 'explode'), /^HTTP\/1\.1 400 /);
  assert.equal((await postSse(emulator.url, CREATE)).at(-1)?.event, 'response.completed');
});

test(
  'a black hole in an event stream holds back the events after it, and none before it',
  { timeout: 20_000 },
  async (t) => {
    const { url } = await start(t);
    const leave = new AbortController();
    const response = await fetch(`${url}/responses`, {
      method: 'POST',
      headers: { 'x-turnwire-fault': 'black-hole after=2' },
      body: JSON.stringify({ ...CREATE, stream: true }),
      signal: leave.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('event: response.in_progress')) text += (await reader?.read())?.value ?? '';
    assert.equal(parseSse(text).length, 2);
    leave.abort();
  },
);

/** The JSON answer under a fault, and the faults that the journal says have struck. */
async function overJson(t: TestContext, fault: string) {
  const emulator = await start(t);
  const response = await post(emulator.url, CREATE, { headers: { 'x-turnwire-fault': fault } });
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  } catch {
    // The body breaks off.
  }
  return { text, faults: emulator.journal.turns()[0]?.faults };
}

for (const [fault, length] of [
  ['cut bytes=40', 40],
  ['cut after=3 bytes=40', 40],
  ['cut after=5', undefined],
] as const) {
  test(`${fault}: the body of a JSON answer is cut, not an event`, async (t) => {
    const { text: whole } = await overJson(t, 'stall ms=0');
    const { text } = await overJson(t, fault);
    const { id, ...rest } = json(whole);
    assert.ok(text.startsWith('{"id":"resp_'), text.slice(0, 80));
    assert.ok(String(id).length + JSON.stringify(rest).length > 40);
    if (length === undefined)
      assert.ok(Math.abs(text.length - whole.length / 2) < 4, `${text.length} of ${whole.length}`);
    else assert.equal(text.length, length);
  });
}

test('faults that edit events do not strike a JSON answer, and the journal says so', async (t) => {
  for (const fault of ['drop', 'repeat', 'reorder event=1', 'stray after=2', 'drop event=3']) {
    const { text, faults } = await overJson(t, fault);
    assert.deepEqual([json(text)['status'], faults], ['completed', []], fault);
  }
});

test('wrong-id after=N strikes a JSON answer, whose response stands in its last event', async (t) => {
  const { text, faults } = await overJson(t, 'wrong-id after=1');
  assert.match(json(text)['id'], /bad$/);
  assert.deepEqual(faults, ['wrong-id after=1']);
  const late = await overJson(t, 'wrong-id after=1000');
  assert.deepEqual([json(late.text)['status'], late.faults], ['completed', []]);
});

test('a cut without anything to cut is refused, or does not strike', async (t) => {
  const emulator = await start(t);
  const refused = await postJson(emulator.url, { ...CREATE, metadata: { turnwire_fault: 'cut after=terminal' } });
  assert.deepEqual([refused.httpStatus, refused['error']['code']], [400, 'invalid_fault']);
  assert.ok((await overSse(emulator.url, 'cut after=1000')).whole);
  assert.deepEqual(emulator.journal.turns().at(-1)?.faults, []);
});

test('connection-limit after=terminal leaves an answer over HTTP whole, and the emulator running', async (t) => {
  const emulator = await start(t, { faults: [{ do: 'connection-limit after=terminal' }] });
  const { text, whole } = await overSse(emulator.url, 'stall ms=0');
  assert.ok(whole);
  const events = parseSse(text).map(({ event }) => event);
  assert.deepEqual(events.slice(-2), ['response.completed', 'error']);
  assert.equal((await postJson(emulator.url, CREATE))['status'], 'completed');
  assert.equal((await fetch(emulator.url.replace(/\/v1$/, '/emulator/health'))).status, 200);
});
