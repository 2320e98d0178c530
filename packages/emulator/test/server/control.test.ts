import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { EmulatorError, startEmulator, startRecorder, useEmulator, type EmulatorOptions } from '../../dist/index.js';
import { json, post, postJson, type Json } from '../wire.js';

const CREATE = { model: 'm', input: 'Hello' };

/** An emulator that is controlled by HTTP alone, as from a test in another language. */
async function start(t: TestContext, options: EmulatorOptions = {}) {
  const emulator = await startEmulator(options);
  t.after(() => emulator.close());
  const control = async (method: string, path: string, body?: string, headers = {}): Promise<Json> => {
    const url = `${emulator.url.replace(/\/v1$/, '/emulator')}${path}`;
    const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
    return { ...json(await response.text()), httpStatus: response.status };
  };
  const ask = async (): Promise<string> => (await postJson(emulator.url, CREATE)).output[0].content[0].text;
  return { emulator, control, ask };
}

describe('the control API', () => {
  test('reads health, state, journal and bill', async (t) => {
    const { control, ask } = await start(t);
    await ask();
    assert.equal((await control('GET', '/health')).status, 'ok');
    assert.equal((await control('GET', '/state')).responses, 1);
    assert.equal((await control('GET', '/bill')).turns, 1);
    const { turns, connections, requests } = await control('GET', '/journal');
    assert.deepEqual([turns[0].outcome, turns[0].transcript[0].role], ['completed', 'user']);
    assert.ok(connections.length > 0);
    assert.deepEqual(requests[0], { connection: 1, method: 'POST', path: '/v1/responses', status: 200 });
  });

  test('replaces and removes the script, as YAML or as JSON, and lists the turns that were not used', async (t) => {
    const { control, ask } = await start(t);
    await control('PUT', '/script', 'turns:\n  - text: from yaml\n  - text: second\n');
    assert.equal(await ask(), 'from yaml');
    assert.deepEqual((await control('GET', '/script')).unused_turns, ['turns[1]']);
    await control('PUT', '/script', JSON.stringify({ turns: [{ text: 'from json' }] }));
    assert.equal(await ask(), 'from json');
    await control('DELETE', '/script');
    assert.equal(await ask(), 'Hello');
  });

  test('refuses an invalid script with the place of the error, and keeps the previous script', async (t) => {
    const { control, ask } = await start(t, { script: { turns: [{ text: 'kept' }] } });
    const { httpStatus, error } = await control('PUT', '/script', 'turns:\n  - txt: x\n');
    assert.deepEqual([httpStatus, error.code], [400, 'invalid_script']);
    assert.match(error.message, /^script:2:5: .*did you mean "text"/);
    assert.equal(await ask(), 'kept');
  });

  test('replaces and removes faults', async (t) => {
    const { emulator, control } = await start(t);
    await control('PUT', '/faults', 'faults:\n  - { do: error status=503 }\n');
    assert.equal((await post(emulator.url, CREATE)).status, 503);
    await control('DELETE', '/faults');
    assert.equal((await post(emulator.url, CREATE)).status, 200);
  });

  test('clears the journal', async (t) => {
    const { control, ask } = await start(t);
    await ask();
    assert.equal((await control('POST', '/clear')).httpStatus, 200);
    assert.deepEqual((await control('GET', '/journal')).turns, []);
  });

  test('settled waits until no turn runs, and names the running turns when the time is over', async (t) => {
    const { emulator, control } = await start(t, { latency: { firstTokenMs: 600_000 } });
    const controller = new AbortController();
    const turn = post(emulator.url, { ...CREATE, stream: true }, { signal: controller.signal });
    await turn;
    const late = await control('POST', '/settled?timeout_ms=1');
    assert.deepEqual([late.httpStatus, late.error.code], [504, 'not_settled']);
    assert.match(late.error.message, /the turns 1 still run/);
    controller.abort();
    assert.equal((await control('POST', '/settled')).httpStatus, 200);
    assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
  });

  test('ends the emulator', async (t) => {
    const { emulator, control } = await start(t);
    assert.equal((await control('POST', '/end')).httpStatus, 200);
    await emulator.closed;
    await assert.rejects(post(emulator.url, CREATE));
  });

  test('refuses a script beside a replay, which would never be used', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'control-'));
    t.after(() => rm(folder, { recursive: true }));
    const { emulator: upstream } = await start(t);
    const file = join(folder, 'run.jsonl');
    const recorder = await startRecorder({ upstream: upstream.url, file });
    await post(recorder.url, CREATE);
    await recorder.close();
    const { emulator, control } = await start(t, { replay: { file } });
    const { httpStatus, error } = await control('PUT', '/script', 'turns: [{ text: x }]');
    assert.deepEqual([httpStatus, error.code], [400, 'invalid_script']);
    await assert.rejects(emulator.script({ turns: [{ text: 'x' }] }), /replay/);
    assert.equal((await control('PUT', '/script', 'faults: [{ do: drop }]')).httpStatus, 200);
  });

  test('refuses an unknown path, method and parameter by name', async (t) => {
    const { control } = await start(t);
    const unknown = await control('GET', '/journl');
    assert.equal(unknown.httpStatus, 404);
    assert.match(unknown.error.message, /no "journl"; did you mean "journal"/);
    assert.match((await control('GET', '/what')).error.message, /there are health, state, .*end\.$/);
    assert.equal((await control('GET', '/end')).httpStatus, 405);
    assert.equal((await control('POST', '/settled?timeout_ms=-1')).error.param, 'timeout_ms');
    assert.match((await control('POST', '/settled?timeoutms=5')).error.message, /did you mean "timeout_ms"/);
    assert.match((await control('PUT', '/faults', '')).error.message, /"faults"/);
    const wrongShape = await control('PUT', '/faults', 'faults: [{ do: error shape=flatt }]');
    assert.match(wrongShape.error.message, /"shape" .*"flatt"; did you mean "flat"/);
  });

  const ignored: readonly (readonly [string, string, string | undefined, RegExp])[] = [
    ['GET', '/journal?limit=5', undefined, /has no parameter "limit"; leave it out\.$/],
    ['PUT', '/script?name=x', 'turns: [{ text: x }]', /has no parameter "name"/],
    ['POST', '/settled?timeout_ms=5&timeout_ms=6', undefined, /takes timeout_ms once/],
    ['POST', '/settled', '{"timeout_ms":1}', /takes no body; timeout_ms is written after the path: \?timeout_ms=/],
    ['POST', '/clear', 'x', /^POST \/emulator\/clear takes no body\.$/],
    ['DELETE', '/script', 'turns: []', /takes no body/],
    ['PUT', '/faults', '{"faults":[{"do":"drop"}],"turns":[{"text":"x"}]}', /turns beside its faults/],
    ['GET', '/journl', undefined, /did you mean "journal"\.$/],
    ['GET', '/health/', undefined, /did you mean "health"\.$/],
    ['PUT', '/script', 'turns: [{ text: a }]\n---\nturns: [{ text: b }]\n', /:2:1: .*one document/],
    ['PUT', '/script', '['.repeat(100_000), /:1:1: The script is nested more than 100 deep/],
    ['PUT', '/script', '- '.repeat(5000), /nested more than 100 deep/],
    [
      'PUT',
      '/script',
      `{"turns":[{"calls":[{"name":"f","arguments":${'{"a":'.repeat(5000)}`,
      /nested more than 100 deep/,
    ],
    ['PUT', '/script', `turns: [{ text: "${'x'.repeat(4 * 1024 * 1024)}" }]`, /larger than 4194304 bytes/],
    ['PUT', '/faults', '{"faults":[{"do":{"fault":"close","after":"3"}}]}', /parameter "after" of the fault "close"/],
    ['PUT', '/faults', '{"faults":[{"do":{"fault":"clse"}}]}', /no fault "clse"; did you mean "close"/],
    ['PUT', '/faults', '{"faults":[{"do":7}]}', /no fault 7/],
  ];
  for (const [method, path, body, message] of ignored)
    test(`refuses what it would ignore or cannot read: ${method} ${path} ${body?.slice(0, 40) ?? ''}`, async (t) => {
      const { control } = await start(t);
      const { httpStatus, error } = await control(method, path, body);
      assert.ok(httpStatus === 400 || httpStatus === 404, String(httpStatus));
      assert.match(error.message, message);
    });

  test('takes an empty object where no body is needed, and an empty list of faults', async (t) => {
    const { emulator, control } = await start(t, { faults: [{ do: 'error status=503' }] });
    assert.equal((await control('POST', '/settled', '{}')).httpStatus, 200);
    assert.equal((await control('PUT', '/faults', '{"faults":[]}')).httpStatus, 200);
    assert.equal((await post(emulator.url, CREATE)).status, 200);
  });

  test('takes no body that is not UTF-8', async (t) => {
    const { emulator, control } = await start(t);
    const url = emulator.url.replace(/\/v1$/, '/emulator/script');
    const latin1 = new Uint8Array(Buffer.from('turns: [{ text: grün }]', 'latin1'));
    assert.equal((await fetch(url, { method: 'PUT', body: latin1 })).status, 415);
    const headers = { 'content-type': 'text/yaml; charset=iso-8859-1' };
    assert.equal((await control('PUT', '/script', 'turns: [{ text: x }]', headers)).httpStatus, 415);
    headers['content-type'] = 'application/json; charset=UTF-8';
    assert.equal((await control('PUT', '/script', '{"turns":[{"text":"grün"}]}', headers)).httpStatus, 200);
  });

  test('is closed to web pages, and off with control: false', async (t) => {
    const { control } = await start(t);
    assert.equal((await control('POST', '/end', undefined, { origin: 'https://evil.example' })).httpStatus, 403);
    assert.equal((await control('GET', '/health')).httpStatus, 200);
    const { control: none } = await start(t, { control: false });
    assert.equal((await none('GET', '/health')).httpStatus, 404);
  });
});

describe('an emulator in tests', () => {
  test('script() and faults() replace the answers and the faults; assertScriptUsed() names the unused turns', async (t) => {
    const { emulator, ask } = await start(t, { faults: [{ do: 'error status=500' }] });
    assert.equal((await post(emulator.url, CREATE)).status, 500);
    await emulator.faults();
    await emulator.script({ turns: [{ text: 'one' }, { text: 'two' }] });
    assert.equal(await ask(), 'one');
    assert.throws(() => emulator.assertScriptUsed(), /answered nothing: turns\[1\]\.$/);
    await emulator.script({ turns: [{ text: 'three' }] });
    assert.equal(await ask(), 'three');
    emulator.assertScriptUsed();
  });

  test('settled() waits for the outcome of a turn whose client has received its error already', async (t) => {
    for (let run = 0; run < 5; run += 1) {
      const { emulator } = await start(t, { faults: [{ do: 'end after=4' }] });
      await assert.rejects(post(emulator.url, { ...CREATE, stream: true }).then((response) => response.text()));
      await emulator.settled();
      assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
    }
  });

  const wrongLimits: readonly (readonly [object, RegExp])[] = [
    [{ timeout: 5 }, /"timeout"; did you mean "timeoutMs"/],
    [{ timeoutMs: Number.NaN }, /"timeoutMs"/],
    [{ timeoutMs: -1 }, /"timeoutMs"/],
  ];
  for (const [options, message] of wrongLimits) {
    test(`settled() refuses ${Object.entries(options).join()}`, async (t) => {
      const { emulator } = await start(t);
      await assert.rejects(
        emulator.settled(options),
        (error) => error instanceof EmulatorError && error.code === 'invalid_option' && message.test(error.message),
      );
    });
  }

  test('settled() rejects with a stack that leads to the test', async (t) => {
    const { emulator } = await start(t, { latency: { firstTokenMs: 600_000 } });
    await post(emulator.url, { ...CREATE, stream: true });
    const error = await emulator.settled({ timeoutMs: 1 }).catch((reason: unknown) => reason);
    assert.ok(error instanceof Error);
    assert.match(String(error.stack), /control\.test\.js/);
  });

  test('settled() does not wait for a turn whose answer a fault has ended over HTTP', async (t) => {
    const { emulator } = await start(t, { faults: [{ do: 'close after=2' }] });
    const body = await (await post(emulator.url, { ...CREATE, stream: true })).text();
    assert.doesNotMatch(body, /response\.completed/);
    await emulator.settled();
    assert.equal(emulator.journal.turns()[0]?.outcome, 'aborted');
  });

  test('N18: the option log receives a line for each request and each turn, without contents', async (t) => {
    const lines: string[] = [];
    const { emulator } = await start(t, { log: (line) => lines.push(line), models: ['m'] });
    await postJson(emulator.url, { model: 'm', input: 'SENTINEL' });
    await postJson(emulator.url, { model: 'other', input: 'SENTINEL' });
    await emulator.close();
    const anywhere = lines.map((line) => line.replace(/^connection \d+/, 'connection N')).toSorted();
    assert.deepEqual(anywhere, [
      'connection N POST /v1/responses 200',
      'connection N POST /v1/responses 400',
      'turn 1 json full completed',
      'turn 2 json full refused (400 model_not_found)',
    ]);
  });
});

describe('useEmulator', () => {
  const keyBefore = process.env['OPENAI_API_KEY'];
  const seen: (string | undefined)[] = [];

  describe('with the hooks of node:test, which it finds by itself', () => {
    const emulator = useEmulator({ script: { turns: [{ text: 'Hello.' }] } });

    test('sets the environment variables by which SDKs find the emulator', async () => {
      assert.equal(process.env['OPENAI_BASE_URL'], emulator.url);
      assert.equal(process.env['OPENAI_API_KEY'], emulator.env.OPENAI_API_KEY);
      assert.equal((await postJson(emulator.url, CREATE)).output[0].content[0].text, 'Hello.');
      seen.push(emulator.url);
    });
  });

  describe('after its tests', () => {
    test('the environment variables have their previous values, and the emulator is closed', async () => {
      assert.notEqual(process.env['OPENAI_BASE_URL'], seen[0]);
      assert.equal(process.env['OPENAI_API_KEY'], keyBefore);
      await assert.rejects(post(seen[0] ?? '', CREATE));
    });
  });

  for (const order of ['in which they started', 'opposite to that in which they started'])
    test(`two of one file restore the environment variables, ended in the order ${order}`, async () => {
      const before = process.env['OPENAI_BASE_URL'];
      process.env['OPENAI_BASE_URL'] = 'http://set-before.example/v1';
      const starts: (() => Promise<void>)[] = [];
      const ends: (() => Promise<void>)[] = [];
      const hooks = {
        beforeAll: (run: () => Promise<void>) => starts.push(run),
        afterAll: (run: () => Promise<void>) => ends.push(run),
      };
      const [first, second] = [useEmulator({ hooks }), useEmulator({ hooks })];
      for (const run of starts) await run();
      assert.equal(process.env['OPENAI_BASE_URL'], second.url);
      const firstUrl = first.url;
      const isOpposite = order.startsWith('opposite');
      const [endFirst, endSecond] = (isOpposite ? ends.toReversed() : ends) as [
        () => Promise<void>,
        () => Promise<void>,
      ];
      await endFirst();
      assert.equal(process.env['OPENAI_BASE_URL'], isOpposite ? firstUrl : second.url);
      await endSecond();
      assert.equal(process.env['OPENAI_BASE_URL'], 'http://set-before.example/v1');
      if (before === undefined) delete process.env['OPENAI_BASE_URL'];
      else process.env['OPENAI_BASE_URL'] = before;
    });

  test('refuses hooks that are no functions', () => {
    for (const hooks of [{}, { beforeAll: 1 }, { beforeAll: () => undefined }])
      assert.throws(
        // @ts-expect-error These are no hooks.
        () => useEmulator({ hooks }),
        (error) => error instanceof EmulatorError && /two functions/.test(error.message),
      );
  });

  test('takes the hooks of another runner, and refuses to be used outside of tests', async () => {
    const run: (() => Promise<void>)[] = [];
    const hook = (fn: () => Promise<void>) => run.push(fn);
    const emulator = useEmulator({ hooks: { beforeAll: hook, afterAll: hook } });
    assert.throws(() => emulator.url, EmulatorError);
    await run[0]?.();
    assert.equal((await postJson(emulator.url, CREATE)).status, 'completed');
    await run[1]?.();
    assert.throws(() => emulator.url, /inside of a test/);
  });
});
