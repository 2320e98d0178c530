import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startEmulator } from '@turnwire/emulator';
import { Console, turnwire, typing } from './console.js';
import type { AddressInfo } from 'node:net';
import type { Script } from '@turnwire/emulator';

interface Result {
  billed: boolean;
  turns: number;
  resultBytes: number;
  loops: {
    transport: string;
    turns: number;
    totalMs: number;
    endedMs: number[];
    firstEventMs: number[];
    sentBytes: number;
    inputTokens: number;
  }[];
}

const calling: Script = { turns: [{ calls: [{ name: 'read_part', arguments: { part: 1 } }] }], after: 'repeat' };

describe('turnwire bench', () => {
  test('without an endpoint it measures an emulator, over both transports alternately', async () => {
    const { status, stdout, stderr } = await turnwire([
      'bench',
      '--rtt',
      '5',
      '--turns',
      '4',
      '--result',
      '2',
      '--rounds',
      '2',
      '--json',
    ]);
    assert.equal(status, 0, stderr);
    const { billed, turns, resultBytes, loops } = JSON.parse(stdout) as Result;
    assert.deepEqual([billed, turns, resultBytes], [false, 4, 2000]);
    assert.deepEqual(
      loops.map(({ transport }) => transport),
      ['sse', 'websocket', 'websocket', 'sse'],
    );
    for (const loop of loops) {
      assert.equal(loop.endedMs.length, 4);
      // Each turn costs a round trip at least, and a connection one more.
      assert(loop.totalMs >= 5 * 5 - 5, `${loop.totalMs} ms`);
      for (const ms of loop.firstEventMs) assert(ms >= 4, `${ms} ms`);
      assert(loop.sentBytes > 3 * 2000);
      assert(loop.inputTokens > 0);
    }
  });

  test('the table names both transports, and the chart has a line for each loop', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'turnwire-bench-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const { status, stdout, stderr } = await turnwire(
      ['bench', '--rtt', '0', '--turns', '3', '--result', '1', '--rounds', '1', '--svg', 'loops.svg'],
      { cwd: folder },
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^transport +total +first event +sent +input tokens +of these cached$/m);
    assert.match(stdout, /^SSE +[\d.]+ s \([\d.]+–[\d.]+\) +\d+ ms/m);
    assert.match(stdout, /^WebSocket +[\d.]+ s/m);
    assert.match(stdout, /The emulator answers at once/);
    const svg = await readFile(join(folder, 'loops.svg'), 'utf8');
    const points = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, list]) => String(list).split(' '));
    assert.deepEqual(
      points.map((list) => list.length),
      [4, 4],
    );
  });

  test('on the user’s own endpoint it shows the tokens before it spends them', async (t) => {
    const emulator = await startEmulator({ script: calling });
    t.after(() => emulator.close());
    const argv = [
      'bench',
      '--url',
      emulator.url,
      '--model',
      'theirs',
      '--turns',
      '2',
      '--result',
      '4',
      '--rounds',
      '1',
    ];

    const nobody = await turnwire(argv);
    assert.equal(nobody.status, 2);
    assert.match(
      nobody.stderr,
      /^2 loops of 2 turns on theirs at http:\/\/127\.0\.0\.1:\d+: about [\d,]+ input tokens/,
    );
    assert.match(nobody.stderr, /--yes/);

    const stdin = typing();
    const asked = new Console(argv, { stdin, terminals: ['stdin', 'stderr'] });
    await asked.shows('stderr', 'Spend them? [y/N] ');
    stdin.write('\n');
    assert.equal((await asked.ended).status, 1);
    assert.equal(emulator.journal.turns().length, 0, 'nothing was sent before a yes');

    const { status, stdout, stderr } = await turnwire([...argv, '--yes']);
    assert.equal(status, 0, stderr);
    assert.equal(emulator.journal.turns().length, 4);
    assert.doesNotMatch(stdout, /emulator/);
  });

  test('the key of the environment is sent to no address but its own', async (t) => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(400).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const argv = ['bench', '--url', url, '--model', 'theirs', '--turns', '1', '--rounds', '1', '--yes'];
    const env = { OPENAI_API_KEY: 'sk-of-openai', THEIR_KEY: 'sk-theirs' };

    assert.equal((await turnwire(argv, { env })).status, 1);
    const named = await turnwire([...argv, '--key-from', 'THEIR_KEY'], { env });
    assert.equal(named.status, 1);
    assert.deepEqual(seen, [undefined, 'Bearer sk-theirs']);
    assert(!named.stderr.includes('sk-'));

    const missing = await turnwire([...argv, '--key-from', 'NO_KEY'], { env });
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /the environment has no NO_KEY/);
    assert.equal(seen.length, 2);
  });

  const wrong: Readonly<Record<string, [argv: string[], says: RegExp]>> = {
    'a model without an endpoint': [['--model', 'x'], /name it with --url/],
    'an endpoint without a model': [['--url', 'http://localhost:1/v1'], /--model/],
    'a round trip for an endpoint': [['--url', 'http://localhost:1/v1', '--model', 'x', '--rtt', '1'], /--rtt/],
    'an address that is none': [['--url', 'localhost', '--model', 'x', '--yes'], /--url must be a base URL/],
    'half a turn': [['--turns', '1.5'], /from 1 to 200/],
    'no rounds': [['--rounds', '0'], /from 1 to 100/],
  };
  for (const [name, [argv, says]] of Object.entries(wrong)) {
    test(`${name} is refused before anything is sent`, async () => {
      const { status, stdout, stderr } = await turnwire(['bench', ...argv]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, says);
    });
  }
});
