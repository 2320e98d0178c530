import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startEmulator, type Script } from '@turnwire/emulator';
import { Child, program } from './child.js';
import { scratch } from './scratch.js';

const steps = 40;
const kills = 10;
const seed = Number(process.env['TURNWIRE_SEED'] ?? 7);

/** The same numbers in each run of the test. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const step = (number: number) => ({
  calls: [{ name: 'shell', arguments: { cmd: `echo "step-${number} done" >> ledger; echo "step-${number} done"` } }],
});

/** A model that does one step after another, and that looks at what is done when it is told to go on. */
const model: Script['rules'] = [
  { match: { input: 'Begin.' }, reply: step(1) },
  {
    match: { input: 'Go on.' },
    reply: {
      calls: [{ name: 'shell', arguments: { cmd: 'echo "step-0 done" | cat - ledger 2>/dev/null | tail -n 1' } }],
    },
  },
  { match: { input: `step-${steps} done` }, reply: { text: `All ${steps} are done.` } },
  ...Array.from({ length: steps }, (_, index) => ({ match: { input: `step-${index} done` }, reply: step(index + 1) })),
];

const faults = [
  'close after=1',
  'reset after=2',
  'end after=0',
  'error status=503',
  'close after=0 code=1012',
  'cut after=2',
];

describe('turnwire run under chaos', () => {
  test(
    '40 calls over a link that fails at random, killed and resumed ten times: each ran once, and the history is whole',
    { skip: process.platform === 'win32', timeout: 170_000 },
    async (t) => {
      const random = seeded(seed);
      t.diagnostic(`seed ${seed} (TURNWIRE_SEED=${seed} npm test -- cli/chaos)`);
      const pick = (most: number): number => Math.floor(random() * most);
      const broken = Array.from({ length: 200 }, (_, index) => ({
        on: { turn: index + 1 },
        do: faults[pick(faults.length)] ?? '',
      }));
      const emulator = await startEmulator({ script: { rules: model, faults: broken.filter(() => random() < 0.2) } });
      t.after(() => emulator.close());
      const folder = await scratch(t, {
        'agent.yaml': `models: { m: { provider: mine, model: any, base_url: "${emulator.url}" } }\nagents: { root: { model: m, fallback: { retries: 6 }, toolsets: [{ type: shell }] } }\n`,
      });
      const home = join(folder, 'home');
      let session: string | undefined;

      /** Runs until the end, or until it has told of so many events. */
      const run = async (
        killAt: number,
      ): Promise<{ stdout: string; signal: unknown; status: number | null; stderr: string }> => {
        const more = session === undefined ? ['Begin.'] : ['Go on.', '--session', session];
        const argv = [program, 'run', join(folder, 'agent.yaml'), ...more, '--yolo', '--json', '--working-dir', folder];
        const child = new Child(process.execPath, argv, { cwd: folder, env: { TURNWIRE_HOME: home } });
        let lines = 0;
        child.process.stdout.on('data', (chunk: Buffer) => {
          lines += chunk.toString().split('\n').length - 1;
          if (lines >= killAt) child.process.kill('SIGKILL');
        });
        const left = await child.left;
        session ??= /"session":"([^"]+)"/.exec(left.stdout)?.[1];
        return left;
      };

      for (let kill = 0; kill < kills; kill += 1) {
        const { signal, stderr } = await run(5 + pick(20));
        assert.equal(signal, 'SIGKILL', stderr);
        assert.ok(session !== undefined);
      }
      const { stdout, status, stderr } = await run(Infinity);
      assert.equal(status, 0, stderr);
      const said = [...stdout.matchAll(/^\{"type":"agent_choice","content":(.*)\}$/gm)].map(
        ([, content = '']) => JSON.parse(content) as string,
      );
      assert.equal(said.join(''), `All ${steps} are done.`);

      const ledger = (await readFile(join(folder, 'ledger'), 'utf8')).trimEnd().split('\n');
      assert.deepEqual(
        ledger,
        Array.from({ length: steps }, (_, index) => `step-${index + 1} done`),
      );
      // One session, in which each call has one answer.
      assert.deepEqual(await readdir(join(home, 'sessions')), [`${session}.jsonl`]);
      const lines = (await readFile(join(home, 'sessions', `${session}.jsonl`), 'utf8')).trimEnd().split('\n').slice(1);
      const items = lines.flatMap(
        (line) => (JSON.parse(line) as { items?: { type: string; call_id?: string }[] }).items ?? [],
      );
      const ids = (type: string) => items.flatMap((item) => (item.type === type ? [item.call_id] : []));
      assert.deepEqual(new Set(ids('function_call_output')), new Set(ids('function_call')));
      assert.equal(ids('function_call_output').length, ids('function_call').length);
      assert.equal(new Set(ids('function_call')).size, ids('function_call').length);
      // The server, too, had nothing to complain of.
      const turns = emulator.journal.turns();
      assert.deepEqual(
        turns.filter(({ outcome, faults: struck }) => outcome === 'refused' && struck.length === 0),
        [],
      );
      assert.ok(turns.filter(({ faults: struck }) => struck.length > 0).length > 3);
    },
  );
});
