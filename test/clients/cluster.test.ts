// Codex and the `openai` package, unmodified, through three gateways behind a balancer that knows nothing of chains.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startProcesses } from '../gateway/cluster/chaos/node-processes.js';
import { startRedis, withoutRedis } from '../gateway/cluster/redis.js';
import { installed, needs, newerNode, program, run, start } from './client.js';
import { configuredCodex } from './codex/codex.js';
import { startRoundRobin } from './round-robin.js';
import type { TestContext } from 'node:test';
import type { Emulator } from '@turnwire/emulator';

const tools = Array.from({ length: 12 }, (_, turn) => `the-tool-ran-${turn}`);

/** A loop over two runs of Codex: the second one resumes the session of the first. */
const loop = {
  turns: [
    ...tools.map((words) => ({ calls: [{ name: 'exec_command', arguments: { cmd: `echo ${words}` } }] })),
    { text: 'The tool said so.' },
    { text: 'It still does.' },
  ],
};

function needsRedis(name: string): ReturnType<typeof needs> {
  const { skip, timeout } = needs(name);
  return { skip: skip === false ? withoutRedis : skip, timeout };
}

/** The base of a balancer before three gateways, which share a Redis. */
async function startCluster(t: TestContext, emulator: Emulator): Promise<string> {
  const redis = await startRedis(t);
  // The machine may be busy: what is shown is what the nodes do, not how fast they are.
  const nodes = await startProcesses(t, 3, emulator.url, { redis: redis.url, deadline_ms: 2000 });
  return startRoundRobin(
    t,
    nodes.map(({ url }) => url),
  );
}

describe('three gateways behind round robin', () => {
  for (const webSockets of [false, true])
    test(
      `Codex over ${webSockets ? 'WebSockets' : 'SSE'}: exec and then resume are answered rightly, and mostly as deltas`,
      needsRedis('codex'),
      async (t) => {
        const emulator = await start(t, loop);
        const codex = await configuredCodex(t, await startCluster(t, emulator), webSockets);
        const { status, said } = await codex(['exec', '--skip-git-repo-check', '--json', 'Use the tool.']);
        assert.equal(status, 0, said);
        assert.match(said, /The tool said so\./);
        const resumed = await codex(['exec', '--skip-git-repo-check', '--json', 'resume', '--last', 'Again.']);
        assert.equal(resumed.status, 0, resumed.said);
        assert.match(resumed.said, /It still does\./);

        const turns = emulator.journal.turns();
        const completed = turns.filter(({ outcome }) => outcome === 'completed');
        // Each run of Codex over a WebSocket begins with a create that generates nothing.
        assert.equal(completed.length, loop.turns.length + (webSockets ? 2 : 0));
        const results = completed.at(-1)?.transcript.filter(({ type }) => type === 'function_call_output') ?? [];
        assert.equal(results.length, tools.length);
        for (const [index, words] of tools.entries()) assert(JSON.stringify(results[index]).includes(`${words}\\n`));
        const deltas = completed.filter(({ plan }) => plan === 'delta').length;
        t.diagnostic(`${deltas} of ${completed.length} turns went up as deltas`);
        assert(deltas > completed.length / 2, `${deltas} of ${completed.length}`);
      },
    );

  for (const [name, node] of [
    ['openai-6', process.execPath],
    ['openai-7', newerNode],
  ] as const)
    test(`${name}: continues by id and by its history, whichever gateway it meets`, needsRedis(name), async (t) => {
      const emulator = await start(t);
      const base = await startCluster(t, emulator);
      const { status, said } = await run(t, node, [program('openai-loop'), base, installed, name], installed, {});
      assert.equal(status, 0, said);
      assert.deepEqual(JSON.parse(said), { byId: 'turn 8', streamed: 'turn 8', whole: 'turn 8', unstored: 'turn 8' });
      const completed = emulator.journal.turns().filter(({ outcome }) => outcome === 'completed');
      assert.equal(completed.length, 4 * 9);
      // What the upstream has read for the last turn of each loop is all of the loop, in order.
      for (const turn of [8, 17, 26, 35]) {
        const asked = completed[turn]?.transcript.filter((item) => (item as { role?: string }).role === 'user') ?? [];
        assert.deepEqual(
          asked.map((item) => /turn \d/.exec(JSON.stringify(item))?.[0]),
          Array.from({ length: 9 }, (_, index) => `turn ${index}`),
        );
      }
      const deltas = completed.filter(({ plan }) => plan === 'delta').length;
      t.diagnostic(`${deltas} of ${completed.length} turns went up as deltas`);
      assert(deltas > completed.length / 2, `${deltas} of ${completed.length}`);
    });
});
