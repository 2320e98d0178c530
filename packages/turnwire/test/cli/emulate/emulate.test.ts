import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Console, turnwire } from '../console.js';
import { scratch } from '../scratch.js';

async function answerOf(url: string, body: object): Promise<string> {
  const response = await fetch(`${url}/responses`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(response.status, 200);
  return JSON.stringify(await response.json());
}

describe('turnwire emulate', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`emulate serves a script until ${signal}, and exits with status 0`, async (t) => {
      const folder = await scratch(t, { 'script.yaml': 'turns: [{ text: As it is written. }]\n' });
      const console = new Console(['emulate', join(folder, 'script.yaml'), '--json']);
      await console.shows('stdout', '\n');
      const line = JSON.parse(firstLine(console)) as { url: string; port: number; pid: number };
      assert.equal(line.url, `http://127.0.0.1:${line.port}/v1`);
      assert.equal(line.pid, process.pid);
      assert.match(await answerOf(line.url, { model: 'any', input: 'Go.' }), /As it is written\./);
      console.signal(signal);
      const { status, stderr } = await console.ended;
      assert.equal(status, 0);
      assert.equal(stderr, '');
      assert.equal(console.listeners, 0);
      await assert.rejects(fetch(`${line.url}/models`));
    });
  }

  test('for people, emulate prints the variables to export; without a script it repeats its input', async () => {
    const console = new Console(['emulate']);
    await console.shows('stdout', 'Ctrl-C');
    console.signal('SIGINT');
    const { status, stdout } = await console.ended;
    assert.equal(status, 0);
    assert.match(stdout, /export OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/v1 OPENAI_API_KEY=\S+/);
  });

  test('a running turn does not keep emulate from ending', async (t) => {
    const folder = await scratch(t, { 'script.yaml': 'turns: [{ text: a b c, pace: { tokens_per_second: 0.01 } }]\n' });
    const console = new Console(['emulate', join(folder, 'script.yaml'), '--json']);
    await console.shows('stdout', '\n');
    const { url } = JSON.parse(firstLine(console)) as { url: string };
    const body = JSON.stringify({ model: 'any', input: 'Go.', stream: true });
    const response = await fetch(`${url}/responses`, { method: 'POST', body });
    console.signal('SIGINT');
    assert.equal((await console.ended).status, 0);
    await assert.rejects(response.text());
  });

  test('a port in use gets one sentence that names it, and status 2', async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    const { status, stdout, stderr } = await turnwire(['emulate', '--port', String(address.port)]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^[^\n]+\n$/);
    assert(stderr.includes(String(address.port)));
  });

  test('an address of another machine, a missing script and missing recordings get one sentence each, and status 2', async (t) => {
    const folder = await scratch(t);
    for (const argv of [['--host', '192.0.2.1'], [join(folder, 'none.yaml')], ['--recordings', join(folder, 'none')]]) {
      const { status, stdout, stderr } = await turnwire(['emulate', ...argv]);
      assert.equal(status, 2, argv.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^[^\n]+\n$/);
      assert(stderr.includes(argv.at(-1) ?? ''));
    }
  });

  test('a recording is answered as it was recorded', async (t) => {
    const response = { id: 'resp_1', object: 'response', status: 'completed', output: [] };
    const events = [
      { type: 'response.created', sequence_number: 0, response: { ...response, status: 'in_progress' } },
      { type: 'response.completed', sequence_number: 1, response },
    ];
    const folder = await scratch(t, { 'short.jsonl': events.map((event) => `${JSON.stringify(event)}\n`).join('') });
    const console = new Console(['emulate', '--recordings', folder, '--json']);
    await console.shows('stdout', '\n');
    const { url } = JSON.parse(firstLine(console)) as { url: string };
    const body = JSON.stringify({ model: 'recording/short', input: 'Go.', stream: true });
    const answer = await fetch(`${url}/responses`, { method: 'POST', body });
    const data = (await answer.text()).split('\n').filter((line) => line.startsWith('data: {'));
    assert.deepEqual(
      data.map((line) => JSON.parse(line.slice(6)) as unknown),
      events,
    );
    console.signal('SIGINT');
    await console.ended;
  });
});

function firstLine(console: Console): string {
  const [line = ''] = console.stdout.split('\n');
  return line;
}
