import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startEmulator, startRecorder, type ReplayOptions } from '../../dist/index.js';
import { json, post, postJson, postSse, RawSocket, terminal, type Json } from '../wire.js';

const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const CALL = {
  turns: [{ text: 'Let me look.', calls: [{ name: 'look', arguments: { at: 'sky' } }] }, { text: 'It rains.' }],
};
const TOOLS = [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} } }];
const SETTINGS = { model: 'm', store: false, tools: TOOLS };

/** Sends a create over one transport. Returns the final response, or the error. */
type Ask = (body: object) => Promise<Json>;

const doors: Readonly<Record<string, (url: string) => Promise<Ask>>> = {
  websocket: async (url) => {
    const socket = await RawSocket.open(url);
    return async (body) => {
      const last = terminal(await socket.ask(body));
      return last.response ?? last;
    };
  },
  sse: (url) => Promise.resolve(async (body) => json((await postSse(url, body)).at(-1)?.data ?? '').response),
  json: (url) => Promise.resolve((body) => postJson(url, body)),
};

async function recording(t: TestContext, run: (url: string) => Promise<void>, options = {}): Promise<string> {
  const emulator = await startEmulator({ script: CALL, ...options });
  t.after(() => emulator.close());
  const folder = await mkdtemp(join(tmpdir(), 'transports-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'run.jsonl');
  const recorder = await startRecorder({ upstream: emulator.url, file });
  await run(recorder.url);
  await recorder.close();
  return file;
}

async function replay(t: TestContext, options: ReplayOptions) {
  const emulator = await startEmulator({ replay: { timing: 'at-once', ...options } });
  t.after(() => emulator.close());
  return emulator;
}

/** A loop of two turns. The second one is a delta if the transport can continue a response, else it has the whole history. */
async function loop(ask: Ask, asDelta: boolean): Promise<readonly Json[]> {
  const first = await ask({ ...SETTINGS, input: [user('The weather?')] });
  const call = first.output.find((item: Json) => item.type === 'function_call');
  const output = { type: 'function_call_output', call_id: call.call_id, output: 'grey' };
  const history = [user('The weather?'), ...first.output, output];
  const rest = asDelta ? { previous_response_id: first.id, input: [output] } : { input: history };
  return [first.output, (await ask({ ...SETTINGS, ...rest })).output];
}

describe('a recording answers a client on any transport', () => {
  for (const from of ['websocket', 'sse', 'json']) {
    for (const to of ['websocket', 'sse', 'json']) {
      if (from === to) continue;
      for (const mode of ['strict', 'loose'] as const) {
        test(`${mode}: recorded over ${from}, requested over ${to}, a delta for a full history or the reverse`, async (t) => {
          let recorded: readonly Json[] = [];
          const file = await recording(t, async (url) => {
            recorded = await loop((await doors[from]?.(url)) ?? assert.fail(), from === 'websocket');
          });
          const { url, journal } = await replay(t, { file, mode });
          const replayed = await loop((await doors[to]?.(url)) ?? assert.fail(), to === 'websocket');
          assert.deepEqual(replayed, recorded);
          assert.deepEqual(
            journal.turns().map(({ transport, outcome }) => [transport, outcome]),
            [
              [to, 'completed'],
              [to, 'completed'],
            ],
          );
        });
      }
    }
  }

  for (const from of ['websocket', 'sse', 'json']) {
    test(`an answer recorded over ${from} names the response that the new create continues, or none`, async (t) => {
      const file = await recording(t, async (url) => {
        await loop((await doors[from]?.(url)) ?? assert.fail(), from === 'websocket');
      });
      for (const asDelta of [true, false]) {
        const { url } = await replay(t, { file });
        const socket = await RawSocket.open(url);
        const named: Json[] = [];
        const ask = async (body: object) => {
          const events = await socket.ask(body);
          named.push(events[0]?.['response'].previous_response_id);
          return terminal(events).response;
        };
        await loop(ask, asDelta);
        const [first, second] = named;
        assert.deepEqual([first, typeof second], [null, asDelta ? 'string' : 'object']);
      }
    });
  }

  test('strict: a create is answered on a lane that the recording does not have', async (t) => {
    const file = await recording(t, async (url) => {
      await loop((await doors['websocket']?.(url)) ?? assert.fail(), true);
    });
    const { url } = await replay(t, { file });
    const socket = await RawSocket.open(url);
    const lanes = new Set<string>();
    await loop(async (body) => {
      const events = await socket.ask({ ...body, stream_id: 'lane-1' });
      for (const { stream_id: lane } of events) lanes.add(lane);
      return terminal(events).response ?? assert.fail(JSON.stringify(events));
    }, true);
    assert.deepEqual([...lanes], ['lane-1']);
  });

  for (const from of ['sse', 'json']) {
    test(`strict: a create on a socket that differs from one recorded over ${from} is told the difference`, async (t) => {
      const file = await recording(t, async (url) => {
        await loop((await doors[from]?.(url)) ?? assert.fail(), false);
      });
      const { url } = await replay(t, { file });
      const ask = (await doors['websocket']?.(url)) ?? assert.fail();
      const { error } = await ask({ ...SETTINGS, input: [user('The tide?')] });
      assert.deepEqual([error.code, error.param], ['replay_mismatch', 'input[0].content[0].text']);
    });
  }

  test('the headers of an error that clients obey are in its error frame, too', async (t) => {
    const error = { status: 429, code: 'rate_limit_exceeded', message: 'Slow down.', headers: { 'retry-after': '3' } };
    const options = { script: { turns: [{ error }] } };
    const file = await recording(
      t,
      async (url) => void (await postSse(url, SETTINGS_INPUT).catch(() => undefined)),
      options,
    );
    const { url } = await replay(t, { file });
    const answer = await ((await doors['websocket']?.(url)) ?? assert.fail())(SETTINGS_INPUT);
    assert.deepEqual([answer.status, answer.error.code, answer.error.headers], [429, error.code, error.headers]);
  });

  for (const from of ['websocket', 'sse']) {
    test(`strict: recorded over ${from}, a history of finished items is that of the terminal response, encrypted reasoning included`, async (t) => {
      const script = { turns: [{ reasoning: 'Hm.', ...CALL.turns[0] }, CALL.turns[1]] };
      const settings = { ...SETTINGS, include: ['reasoning.encrypted_content'] };
      const encrypted = new Set<string>();
      const run = async (url: string, historyOf: (response: Json, finished: readonly Json[]) => readonly Json[]) => {
        const ask = async (body: object) => (await postSse(url, body)).map(({ data }) => json(data));
        const events = await ask({ ...settings, input: [user('The weather?')] });
        const finished = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
        const history = historyOf(events.at(-1).response, finished);
        encrypted.add(history[0].encrypted_content);
        const output = { type: 'function_call_output', call_id: history.at(-1).call_id, output: 'grey' };
        const last = (await ask({ ...settings, input: [user('The weather?'), ...history, output] })).at(-1);
        return last.response.output[0].content[0].text;
      };
      const file = await recording(
        t,
        async (url) => {
          if (from === 'sse') await run(url, (response) => response.output);
          else {
            const ask = (await doors['websocket']?.(url)) ?? assert.fail();
            await loop((body) => ask({ ...body, ...settings }), true);
          }
        },
        { script },
      );
      const emulator = await replay(t, { file });
      assert.equal(await run(emulator.url, (_, finished) => finished), 'It rains.');
      if (from === 'sse') assert.equal(encrypted.size, 2);
    });
  }

  test('a replay as the ChatGPT backend answers at its path', async (t) => {
    const file = await recording(t, async (url) => {
      await loop((await doors['sse']?.(url)) ?? assert.fail(), false);
    });
    const emulator = await startEmulator({ replay: { file, timing: 'at-once' }, dialect: 'chatgpt' });
    t.after(() => emulator.close());
    assert.match(emulator.url, /\/backend-api\/codex$/);
    const [, said] = await loop((await doors['sse']?.(emulator.url)) ?? assert.fail(), false);
    assert.equal(said[0].content[0].text, 'It rains.');
  });

  test('strict: a history with another meaning is refused, with the first difference', async (t) => {
    const file = await recording(t, async (url) => {
      await loop((await doors['websocket']?.(url)) ?? assert.fail(), true);
    });
    const { url } = await replay(t, { file });
    const ask = (await doors['json']?.(url)) ?? assert.fail();
    const first = await ask({ ...SETTINGS, input: [user('The weather?')] });
    const call = first.output.find((item: Json) => item.type === 'function_call');
    const output = { type: 'function_call_output', call_id: call.call_id, output: 'blue' };
    const { httpStatus, error } = await ask({ ...SETTINGS, input: [user('The weather?'), ...first.output, output] });
    assert.deepEqual([httpStatus, error.param], [400, 'input[3].output']);
    assert.match(error.message, /expected "grey", got "blue"/);
  });

  test('an error over one transport is the same error over the other', async (t) => {
    const script = { turns: [{ error: { status: 429, code: 'rate_limit_exceeded', message: 'Slow down.' } }] };
    const onSocket = await recording(t, async (url) => void (await (await RawSocket.open(url)).ask(SETTINGS_INPUT)), {
      script,
    });
    const overHttp = await postJson((await replay(t, { file: onSocket })).url, SETTINGS_INPUT);
    assert.deepEqual([overHttp.httpStatus, overHttp.error.code], [429, 'rate_limit_exceeded']);
    const posted = await recording(t, async (url) => void (await postJson(url, SETTINGS_INPUT)), { script });
    const socket = await RawSocket.open((await replay(t, { file: posted })).url);
    const frame = terminal(await socket.ask(SETTINGS_INPUT));
    assert.deepEqual([frame.type, frame.status, frame.error.code], ['error', 429, 'rate_limit_exceeded']);
  });

  test('an answer that was cut on a socket is cut over SSE, and gives no JSON answer', async (t) => {
    const file = await recording(
      t,
      async (url) => {
        const socket = await RawSocket.open(url);
        socket.create({ ...SETTINGS, input: 'x' });
        await socket.closed;
      },
      { faults: [{ do: 'end after=4' }] },
    );
    for (const stream of [true, false]) {
      const { url } = await replay(t, { file });
      await assert.rejects(async () => (await post(url, { ...SETTINGS, input: 'x', stream })).text());
    }
  });

  test('a create on a named lane is answered on that lane', async (t) => {
    const file = await recording(t, async (url) => void (await postSse(url, { ...SETTINGS, input: 'x' })));
    const socket = await RawSocket.open((await replay(t, { file })).url);
    const events = await socket.ask({ ...SETTINGS, input: 'x', stream_id: 'a' });
    assert.deepEqual(new Set(events.map(({ stream_id }) => stream_id)), new Set(['a']));
  });
});

const SETTINGS_INPUT = { ...SETTINGS, input: 'x' };

describe('bodies that are not UTF-8', () => {
  const send = (url: string, body: Uint8Array<ArrayBuffer> | FormData) =>
    fetch(`${url}/files`, { method: 'POST', body });

  test('strict: equal bytes match, other bytes do not', async (t) => {
    const bytes = new Uint8Array([0, 255, 254, 1, 2, 200]);
    const file = await recording(t, async (url) => void (await (await send(url, bytes)).text()));
    const { url } = await replay(t, { file });
    const wrong = await send(url, new Uint8Array([0, 255, 254, 1, 2, 201]));
    assert.match(await wrong.text(), /6 bytes that are no text/);
    // The recorded answer is a 404, because the emulator has no such endpoint.
    assert.equal((await send(url, bytes)).status, 404);
  });

  test('strict: bytes with a secret match, with another secret in its place too', async (t) => {
    const bytes = (key: string) => Buffer.concat([Buffer.from([255, 1]), Buffer.from(key), Buffer.from([2])]);
    const sendWith = (url: string, key: string, body = bytes(key)) =>
      fetch(`${url}/files`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { authorization: `Bearer ${key}` },
      });
    const file = await recording(t, async (url) => void (await (await sendWith(url, 'first-key-1234')).text()));
    const { url } = await replay(t, { file });
    assert.equal((await sendWith(url, 'other-key-56', Buffer.from([254, 1, 2]))).status, 400);
    assert.equal((await sendWith(url, 'other-key-56')).status, 404);
  });

  test('strict: a body that the recorder could not decode is answered', async (t) => {
    const encoded = (url: string) =>
      fetch(`${url}/models/none`, { method: 'POST', body: 'x', headers: { 'content-encoding': 'compress' } });
    const file = await recording(t, async (url) => void (await (await encoded(url)).text()));
    const { url } = await replay(t, { file });
    assert.equal((await encoded(url)).status, 405);
    assert.equal((await encoded(url)).status, 415, 'a request beyond the recording is refused for its coding');
  });

  test('a binary frame of a client is answered as it was', async (t) => {
    const ask = async (url: string): Promise<readonly Json[]> => {
      const socket = await RawSocket.open(url);
      socket.socket.send(Buffer.from(JSON.stringify({ type: 'response.create', ...SETTINGS_INPUT })));
      const [refusal] = await socket.turn();
      const answer = terminal(await socket.ask({ ...SETTINGS_INPUT, input: 'y' }));
      socket.close();
      await socket.closed;
      return [refusal.error.code, answer.type];
    };
    let recorded: readonly Json[] = [];
    const file = await recording(t, async (url) => void (recorded = await ask(url)));
    assert.deepEqual(recorded, ['invalid_frame', 'response.completed']);
    assert.deepEqual(await ask((await replay(t, { file })).url), recorded);
  });

  test('strict: a form matches with any boundary', async (t) => {
    const form = () => {
      const data = new FormData();
      data.append('file', new Blob([new Uint8Array([0, 255, 254])]), 'a.bin');
      return data;
    };
    const file = await recording(t, async (url) => void (await (await send(url, form())).text()));
    const { url } = await replay(t, { file });
    assert.equal((await send(url, form())).status, 404);
  });

  test('strict: a form matches with a boundary of another length', async (t) => {
    const sendForm = (url: string, boundary: string, byte: number) => {
      const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"\r\n\r\n`;
      const body = Buffer.concat([Buffer.from(head), Buffer.from([255, byte]), Buffer.from(`\r\n--${boundary}--\r\n`)]);
      const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
      return fetch(`${url}/files`, { method: 'POST', body: new Uint8Array(body), headers });
    };
    const file = await recording(t, async (url) => void (await (await sendForm(url, 'short', 1)).text()));
    const { url } = await replay(t, { file });
    assert.equal((await sendForm(url, 'a-longer-boundary', 2)).status, 400);
    assert.equal((await sendForm(url, 'a-longer-boundary', 1)).status, 404);
  });
});

test('strict: a client that connects again gets the same difference, and onDifference is called once', async (t) => {
  const file = await recording(
    t,
    async (url) => void (await (await RawSocket.open(url)).ask({ ...SETTINGS, input: 'one' })),
  );
  const told: string[] = [];
  const { url } = await replay(t, { file, onDifference: (message) => told.push(message) });
  const socket = await RawSocket.open(url);
  const { message } = terminal(await socket.ask({ ...SETTINGS, input: 'another' })).error;
  assert.match(message, /expected "one", got "another"/);
  const again = new RawSocket(url);
  const refused = await new Promise<string>((resolve) => {
    again.socket.on('unexpected-response', (_, answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve(body));
    });
    again.socket.on('error', () => undefined);
  });
  assert.equal(json(refused).error.message, message);
  assert.deepEqual(told, [message]);
});
