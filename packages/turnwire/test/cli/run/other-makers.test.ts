import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startEmulator, type Emulator, type Script } from '@turnwire/emulator';
import { turnwire } from '../console.js';
import { scratch } from '../scratch.js';

const options = { skip: process.platform === 'win32', timeout: 60_000 };

/** Each turn thinks aloud and calls a tool; the last one answers. Which server is asked makes no difference: the place is in the history. */
const script: Script = {
  turns: [
    ...[1, 2, 3].map((number) => ({
      reasoning: `Thought ${number}.`,
      text: `Step ${number}.`,
      calls: [{ name: 'think', arguments: { thought: `${number}` } }],
    })),
    { reasoning: 'Enough.', text: 'The end.' },
  ],
  after: 'repeat',
};

const agents = (first: Emulator, second: Emulator, store: boolean, cooldown: string) => `
models:
  a: { provider: one, model: m1, base_url: "${first.url}", provider_opts: { store: ${store} } }
  b: { provider: two, model: m2, base_url: "${second.url}", provider_opts: { store: ${store}, transport: sse } }
agents:
  root:
    model: a
    fallback: { models: [b], retries: -1, cooldown: ${cooldown} }
    toolsets: [{ type: think }]
`;

async function start(t: TestContext, emulatorOptions: Parameters<typeof startEmulator>[0]): Promise<Emulator> {
  const emulator = await startEmulator({ script, ...emulatorOptions });
  t.after(() => emulator.close());
  return emulator;
}

interface SentItem {
  type: string;
  id?: string;
}

/** What a server was sent of what models have made, in its last turn. */
function lastSent(emulator: Emulator): readonly SentItem[] {
  const request = emulator.journal.turns().at(-1)?.request as { input: SentItem[] };
  return request.input.filter(({ type }) => type !== 'function_call_output');
}

for (const store of [true, false]) {
  test(
    `D12: a fallback at another provider is sent only items that it can read, with store: ${store}`,
    options,
    async (t) => {
      // The second turn fails at the first provider, and its fallback is kept to the end.
      const first = await start(t, { faults: [{ on: { turn: 2 }, do: 'error status=400 code=nothing' }] });
      const second = await start(t, { dialect: 'xai' });
      const folder = await scratch(t, { 'agent.yaml': agents(first, second, store, '1m') });
      const home = join(folder, 'home');
      const run = (argv: readonly string[]) =>
        turnwire(['run', join(folder, 'agent.yaml'), ...argv, '--yolo'], { cwd: folder, env: { TURNWIRE_HOME: home } });
      const { status, stdout, stderr } = await run(['Go.']);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /The end\.\n$/);
      assert.deepEqual(
        second.journal.turns().map(({ outcome }) => outcome),
        ['completed', 'completed', 'completed'],
      );
      // The words and the call of the first one, without ids; its own things whole.
      const sent = lastSent(second);
      assert.deepEqual(
        sent.map(({ type, id }) => (id === undefined ? type : `${type} ${id.slice(0, 3)}`)),
        [
          'message',
          'message',
          'function_call',
          'reasoning rs_',
          'message msg',
          'function_call fc_',
          'reasoning rs_',
          'message msg',
          'function_call fc_',
        ],
      );

      // Another process knows it, too: the first model goes on with what the second one said.
      const again = await run(['And now?', '--session', '-1']);
      assert.equal(again.status, 0, again.stderr);
      assert.equal(first.journal.turns().at(-1)?.outcome, 'completed');
      const types = lastSent(first).map(({ type, id }) => (id === undefined ? type : `${type} ${id.slice(0, 3)}`));
      assert.deepEqual(types.slice(0, 6), [
        'message',
        'reasoning rs_',
        'message msg',
        'function_call fc_',
        'message',
        'function_call',
      ]);
    },
  );
}

test('D12: models of two providers that take turns each can read the other’s items', options, async (t) => {
  const first = await start(t, { faults: [{ on: { turn: 2 }, do: 'error status=400 code=nothing' }] });
  const second = await start(t, { dialect: 'azure' });
  const folder = await scratch(t, { 'agent.yaml': agents(first, second, false, '0s') });
  const { status, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.'], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    first.journal.turns().map(({ outcome }) => outcome),
    ['completed', 'refused', 'completed', 'completed'],
  );
  assert.deepEqual(
    second.journal.turns().map(({ outcome }) => outcome),
    ['completed'],
  );
});

test('D12: an agent of another provider that takes over can read the history', options, async (t) => {
  const handing: Script = {
    rules: [
      { match: { model: 'm2' }, reply: { text: 'I go on.' } },
      { match: {}, reply: { reasoning: 'Not mine.', calls: [{ name: 'handoff', arguments: { agent: 'other' } }] } },
    ],
  };
  const first = await start(t, { script: handing });
  const second = await start(t, { script: handing, dialect: 'xai' });
  const folder = await scratch(t, {
    'agent.yaml': `
models:
  a: { provider: one, model: m1, base_url: "${first.url}" }
  b: { provider: two, model: m2, base_url: "${second.url}" }
agents:
  root: { model: a, handoffs: [other] }
  other: { model: b }
`,
  });
  const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.'], { cwd: folder });
  assert.deepEqual([status, stdout], [0, 'I go on.\n'], stderr);
});
