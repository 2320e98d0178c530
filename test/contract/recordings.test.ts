// Real streams: what was recorded comes out of a turn as it was recorded, over both transports (P54–P58).
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { createClient } from '@turnwire/client';
import { startEmulator } from 'turnwire/emulator';
import type { Client, TurnwireError } from '@turnwire/client';
import type { Emulator } from 'turnwire/emulator';

type Json = Record<string, unknown>;

/** Recordings of real traffic, beside the repository. */
function findRecordings(): string | undefined {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const found = join(at, 'shared', 'recordings');
    if (existsSync(found)) return found;
  }
  return undefined;
}

/** The repository's own, which scripts/generate/recordings.mjs makes. */
const own = fileURLToPath(new URL('../../test/recordings/', import.meta.url));
const folder = findRecordings() ?? own;

/** The events of a recording, one list for each response in it. */
function load(from: string, name: string): Json[][] {
  const responses: Json[][] = [];
  for (const line of readFileSync(join(from, `${name}.jsonl`), 'utf8').split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line) as Json;
    if (event['type'] === 'response.created' || responses.length === 0) responses.push([]);
    responses.at(-1)?.push(event);
  }
  return responses;
}

/** The last response; where its output was left empty, with the items as they were when each was done. */
function rebuilt(recorded: readonly Json[]): unknown {
  const response = recorded.at(-1)?.['response'] as Json;
  const done = recorded.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
  return (response['output'] as unknown[]).length === 0 ? { ...response, output: done } : response;
}

/** Reads a turn of the recording, and compares it with what was recorded. */
async function compare(
  client: Client,
  name: string,
  recorded: Json[],
  { previous, history = [], expected }: { previous?: string; history?: readonly Json[]; expected?: unknown } = {},
): Promise<void> {
  const continuing = previous === undefined ? {} : { previous_response_id: previous };
  const turn = client.turn({
    model: `recording/${name}`,
    input: [...history, { role: 'user', content: 'Go.' }],
    ...continuing,
  });
  const settled = turn.response().then(
    (response) => ({ response, error: undefined }),
    (error: TurnwireError) => ({ response: undefined, error }),
  );
  const events: unknown[] = [];
  for await (const event of turn) events.push(event);
  assert.equal(events.length, recorded.length);
  assert.deepEqual(events, recorded);
  const last = recorded.at(-1);
  const { response, error } = await settled;
  if (last?.['type'] !== 'response.failed') return assert.deepEqual(response, expected ?? rebuilt(recorded));
  assert.equal(error?.code, 'response_failed');
  const failed = last['response'] as { id: string; error: { code: string } };
  assert.equal(error.responseId, failed.id);
  assert.equal(error.server?.code, failed.error.code);
}

for (const from of new Set([folder, own])) {
  describe(`recordings: ${from === own ? 'own' : 'real traffic'}`, () => {
    const edited = mkdtempSync(join(tmpdir(), 'turnwire-recordings-'));
    const names = readdirSync(from).flatMap((file) => /^(.*)\.jsonl$/.exec(file)?.[1] ?? []);
    let emulator: Emulator;
    let editedEmulator: Emulator;

    before(async () => {
      emulator = await startEmulator({ recordings: from });
      editedEmulator = await startEmulator({ recordings: edited });
    });
    after(async () => {
      await Promise.all([emulator.close(), editedEmulator.close()]);
      rmSync(edited, { recursive: true });
    });

    const connect = (to: Emulator, transport: 'websocket' | 'sse'): Client =>
      createClient({ apiKey: 'sk-test', baseUrl: `${to.url.replace(/\/v1$/, '')}/v1`, transport });

    test('there are recordings', () => assert.ok(names.length >= (from === own ? 16 : 38), `${names.length}`));

    for (const transport of ['websocket', 'sse'] as const) {
      for (const name of names) {
        test(`${transport}: ${name}`, { timeout: 20_000 }, async () => {
          // Several responses in one recording are the turns of one conversation. Each continues the one before by its id, or was asked
          // for with the whole history, which a client that knows nothing of it sends in full: its own first event says which.
          let client = connect(emulator, transport);
          let history: readonly Json[] = [];
          for (const recorded of load(from, name)) {
            const { previous_response_id: previous } = (recorded[0]?.['response'] ?? {}) as Json;
            const continues = typeof previous === 'string' ? { previous } : { history };
            if ('history' in continues && history.length > 0) {
              await client.close();
              client = connect(emulator, transport);
            }
            await compare(client, name, recorded, continues);
            history = ((rebuilt(recorded) as Json)['output'] ?? []) as readonly Json[];
          }
          if (transport === 'websocket') assert.equal(client.stats.dialled, 1);
          await client.close();
        });
      }

      for (const leaveOut of ['empty', 'absent'] as const) {
        test(`${transport}: an ${leaveOut} output is rebuilt from the items`, { timeout: 20_000 }, async () => {
          // One whose items are the same in their own events and in the terminal event.
          const name = `output-${leaveOut}-${transport}`;
          const recorded = load(from, from === own ? 'openai-tool-loop' : 'openai-web-search-tool.1')[0] ?? [];
          const terminal = recorded.at(-1) ?? {};
          const whole = terminal['response'] as Json;
          const { output, ...rest } = whole;
          const without = { ...terminal, response: leaveOut === 'empty' ? { ...rest, output: [] } : rest };
          const lines = [...recorded.slice(0, -1), without];
          writeFileSync(join(edited, `${name}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
          assert.ok(Array.isArray(output) && output.length > 1);
          const client = connect(editedEmulator, transport);
          await compare(client, name, lines, { expected: whole });
          await client.close();
        });
      }
    }
  });
}
