import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { scriptFromRecording, startEmulator, startRecorder, type Script } from '../../dist/index.js';
import { parseScript } from '../../dist/sources/script/script-yaml.js';
import { post, RawSocket, type Json } from '../wire.js';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwire-script-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A client that sends requests to a base URL and returns the answers. */
type Client = (url: string) => Promise<readonly unknown[]>;

/** The answers that `client` receives of `script` through a recorder, the answers of the script made of the recording, and that script. */
async function roundTrip(t: TestContext, script: Script, client: Client) {
  const first = await startEmulator({ script });
  t.after(() => first.close());
  const file = join(await folderOf(t), 'run.jsonl');
  const recorder = await startRecorder({ upstream: first.url, file });
  t.after(() => recorder.close());
  const recorded = await client(recorder.url);
  await recorder.close();
  await first.close();
  const made = await scriptFromRecording(file);
  const second = await startEmulator({ script: parseScript(made, 'made.yaml') as Script });
  t.after(() => second.close());
  return { recorded, replayed: await client(second.url), made };
}

/** Items without the fields that the emulator makes up. */
function said(items: readonly Json[]): readonly unknown[] {
  return items.map(
    (item) =>
      JSON.parse(
        JSON.stringify(item, (key, value: unknown) => (/^(id|call_id|container_id)$/.test(key) ? '' : value)),
      ) as unknown,
  );
}

function results(output: readonly Json[]): readonly Json[] {
  return output
    .filter(({ type }) => type === 'function_call' || type === 'custom_tool_call')
    .map(({ type, call_id }) => ({ type: `${type}_output`, call_id, output: 'rain' }));
}

const loop: Script = {
  turns: [
    { error: { status: 429, code: 'rate_limit_exceeded', message: 'Slow down.', headers: { 'retry-after': '2' } } },
    {
      reasoning: ['I look it up.', 'Then I tell.'],
      calls: [
        { name: 'weather', arguments: { city: 'Bonn' } },
        { name: 'odd', arguments: '{"a": 1 ' },
        { name: 'sql', input: 'SELECT 1' },
      ],
    },
    {
      output: [
        { tool: { type: 'web_search_call', action: { type: 'search', query: 'Bonn' } } },
        { tool: { type: 'shell_call', commands: ['ls'], container_id: 'cntr_1' } },
        { text: 'It rains: {{ weather }}, and "{{ "{{" }} input }}" stays.', phase: 'final_answer' },
      ],
    },
    { text: 'It rai', incomplete: 'max_output_tokens' },
    { text: 'It', fail: { code: 'server_error', message: 'Broken.' } },
  ],
};

const overHttp =
  (stream: boolean): Client =>
  async (url) => {
    const heard: unknown[] = [];
    const history: Json[] = [{ role: 'user', content: 'The weather?' }];
    for (let turn = 0; turn < 5; turn += 1) {
      const response = await post(url, { model: 'm', input: history, stream });
      const text = await response.text();
      const body = JSON.parse(
        stream && response.ok
          ? (text
              .match(/^data: (.*)$/gm)
              ?.at(-1)
              ?.slice(6) ?? '')
          : text,
      );
      heard.push(response.status, response.headers.get('retry-after'), body['error'] ?? null);
      const answer = stream ? body['response'] : body;
      if (!response.ok || answer === undefined) continue;
      heard.push(answer['status'], answer['incomplete_details'], answer['error'], said(answer['output']));
      history.push(
        ...answer['output'],
        ...results(answer['output']),
        ...(turn > 1 ? [{ role: 'user', content: 'And?' }] : []),
      );
    }
    return heard;
  };

const overSocket: Client = async (url) => {
  const heard: unknown[] = [];
  const socket = await RawSocket.open(url);
  let create: Json = { model: 'm', input: 'The weather?' };
  for (let turn = 0; turn < 5; turn += 1) {
    const last = (await socket.ask(create)).at(-1) ?? {};
    const { type, error, response } = last;
    heard.push(type, error?.code ?? null);
    if (response === undefined) continue;
    heard.push(response['status'], said(response['output']));
    const answers = results(response['output']);
    create = { model: 'm', previous_response_id: response['id'], input: answers.length > 0 ? answers : 'And?' };
  }
  socket.close();
  return heard;
};

describe('a script made of a recording', () => {
  for (const [name, client] of [
    ['SSE', overHttp(true)],
    ['JSON', overHttp(false)],
    ['a WebSocket', overSocket],
  ] as const) {
    test(`answers as the recording did over ${name}: calls, hosted tools, errors, ends`, async (t) => {
      const { recorded, replayed, made } = await roundTrip(t, loop, client);
      assert.ok(recorded.length > 10);
      assert.deepEqual(replayed, recorded);
      assert.match(made, /^turns:/m);
    });
  }

  test('tells several conversations apart by their inputs', async (t) => {
    const script: Script = {
      rules: [
        { match: { input: '/^Bonn/' }, reply: { text: 'Rain.' } },
        { match: { input: 'Cologne' }, reply: { text: 'Sun.' } },
        { match: { input: '/slash/' }, reply: { text: 'A pattern.' } },
      ],
      after: 'echo',
    };
    const { recorded, replayed, made } = await roundTrip(t, script, async (url) => {
      const heard: unknown[] = [];
      for (const input of ['Cologne', 'Bonn', '/slash/', 'Bonn and more']) {
        const body = (await (await post(url, { model: 'm', input })).json()) as Json;
        heard.push(said(body['output']));
      }
      return heard;
    });
    assert.deepEqual(replayed, recorded);
    assert.match(made, /^rules:/m);
  });

  test('names in comments the parts that it leaves out', async (t) => {
    const file = join(await folderOf(t), 'run.jsonl');
    const response = {
      id: 'resp_1',
      object: 'response',
      status: 'completed',
      output: [
        { type: 'reasoning', summary: [] },
        { type: 'orb_call' },
        { type: 'message', content: [{ type: 'output_text', text: 'Hi.' }] },
      ],
    };
    const lines = [
      { turnwire: 'recording', version: 1, started: '2026-01-01T00:00:00.000Z', upstream: 'http://127.0.0.1/v1' },
      { at: 0, exchange: 1, kind: 'request', method: 'POST', path: '/responses', headers: {} },
      { at: 0, exchange: 1, kind: 'body', from: 'client', text: '{"model":"m","input":"x"}' },
      { at: 1, exchange: 1, kind: 'answer', status: 200, headers: { 'content-type': 'application/json' } },
      { at: 1, exchange: 1, kind: 'body', from: 'server', text: JSON.stringify(response) },
      { at: 1, exchange: 1, kind: 'end', how: 'complete' },
    ];
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const expected =
      '# line 2: reasoning without a summary is left out\n# line 2: an item of the type orb_call is left out: a script cannot say it as it is\nturns:\n  - text: Hi.\n';
    assert.equal(await scriptFromRecording(file), expected);
  });
});
