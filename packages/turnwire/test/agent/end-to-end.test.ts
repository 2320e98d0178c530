import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createClient, type Client, type InputItem } from '@turnwire/client';
import type { AgentEvent } from '../../dist/agent/events.js';
import type { AgentRun } from '../../dist/agent/run.js';
import { createSession, type SessionOptions } from '../../dist/agent/session.js';
import { openTools } from '../../dist/agent/tools/toolsets.js';
import { startEmulator, type Emulator, type Script } from '@turnwire/emulator';
import { agent } from './agent.js';
import { scratch } from './scratch.js';

type Transport = 'websocket' | 'sse';

interface World {
  emulator: Emulator;
  client: Client;
  directory: string;
  session: (options?: Partial<SessionOptions>) => ReturnType<typeof createSession>;
}

async function world(t: TestContext, script: Script, transport: Transport): Promise<World> {
  const directory = await scratch(t, { 'a.txt': 'Hello from a file.\n' });
  const emulator = await startEmulator({ script });
  t.after(() => emulator.close());
  const client = createClient({ baseUrl: emulator.url, transport, onWarning: false });
  t.after(() => client.destroy());
  const { tools } = await openTools(agent.toolsets, { directory, env: { PATH: process.env['PATH'] } });
  const session: World['session'] = (options) => createSession({ client, agent, tools, approval: 'yolo', ...options });
  return { emulator, client, directory, session };
}

async function events(run: AgentRun): Promise<AgentEvent[]> {
  const seen: AgentEvent[] = [];
  for await (const event of run) seen.push(event);
  return seen;
}

const script: Script = {
  turns: [
    {
      reasoning: 'A file, then a command.',
      text: 'Looking.',
      calls: [
        { name: 'read_file', as: 'file', arguments: { path: 'a.txt' } },
        { name: 'shell', as: 'count', arguments: { cmd: 'wc -c < a.txt | tr -d " "' } },
      ],
    },
    {
      calls: [{ name: 'write_file', arguments: { path: 'report.md', content: '{{ file.lines.0 }} {{ count.trim }}' } }],
    },
    { text: 'Done: {{ count.trim }} bytes.' },
  ],
};

describe('an agent against the emulator', () => {
  for (const transport of ['websocket', 'sse'] as const) {
    test(`a task with real tools over ${transport}`, { skip: process.platform === 'win32' }, async (t) => {
      const { emulator, directory, session } = await world(t, script, transport);
      const run = session().run('Write a report.');
      const seen = await events(run);
      const result = await run.result();

      assert.equal(result.text, 'Done: 19 bytes.');
      assert.equal(result.turns, 3);
      assert.equal(await readFile(join(directory, 'report.md'), 'utf8'), 'Hello from a file. 19');

      // What the server has seen is the judge of what was sent.
      const turns = emulator.journal.turns();
      assert.equal(turns.length, 3);
      assert.ok(turns.every((turn) => turn.transport === transport && turn.outcome === 'completed'));
      const bodies = turns.map(
        ({ request }) =>
          request as { input: InputItem[]; previous_response_id?: string; instructions: string; tools: unknown[] },
      );
      for (const body of bodies) {
        assert.equal(body.instructions, 'You look after files.');
        assert.equal(body.tools.length, 14);
      }
      assert.deepEqual(
        bodies.map(({ input }) => input.length),
        transport === 'sse' ? [1, 1 + 4 + 2, 1 + 4 + 2 + 2] : [1, 2, 1],
      );
      assert.deepEqual(
        bodies.map((body) => body.previous_response_id),
        transport === 'sse'
          ? [undefined, undefined, undefined]
          : [undefined, turns[0]?.responseId, turns[1]?.responseId],
      );
      assert.deepEqual(
        turns[2]?.transcript.map((item) => item.type),
        [
          'message',
          'reasoning',
          'message',
          'function_call',
          'function_call',
          'function_call_output',
          'function_call_output',
          'function_call',
          'function_call_output',
        ],
      );

      assert.deepEqual(
        seen.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]),
        [
          'user_message',
          'stream_started',
          'agent_choice_reasoning',
          'agent_choice',
          'turn_finished',
          'token_usage',
          'tool_call',
          'tool_call_response',
          'tool_call',
          'tool_call_response',
          'turn_finished',
          'token_usage',
          'tool_call',
          'tool_call_response',
          'agent_choice',
          'turn_finished',
          'token_usage',
          'stream_stopped',
        ],
      );
      const told = seen.flatMap((event) => (event.type === 'agent_choice' ? [event.content] : [])).join('');
      assert.equal(told, 'Looking.Done: 19 bytes.');
      assert.deepEqual(JSON.parse(JSON.stringify(seen)), seen);
      assert.equal(
        result.usage.input_tokens,
        turns.reduce((sum, turn) => sum + (turn.usage?.input_tokens ?? NaN), 0),
      );
      assert.equal(
        result.usage.output_tokens,
        turns.reduce((sum, turn) => sum + (turn.usage?.output_tokens ?? NaN), 0),
      );
      assert.deepEqual(
        seen.flatMap((event) => (event.type === 'turn_finished' ? [event.sent_bytes] : [])),
        turns.map(({ bytes }) => bytes),
      );
    });

    test(`two prompts are one conversation over ${transport}`, async (t) => {
      const { emulator, session } = await world(t, { turns: [{ text: 'One.' }, { text: 'Two.' }] }, transport);
      const conversation = session();
      await conversation.run('first').result();
      const { text, history } = await conversation.run('second').result();
      assert.equal(text, 'Two.');
      assert.equal(history.length, 4);
      const [, second] = emulator.journal.turns();
      assert.equal(second?.transcript.length, 3);
      const { input } = second.request as { input: unknown[] };
      assert.equal(input.length, transport === 'sse' ? 3 : 1);
      assert.deepEqual(input.at(-1), { type: 'message', role: 'user', content: 'second' });
    });

    test(`a failed response is an event and is thrown over ${transport}; the session goes on`, async (t) => {
      const failing: Script = {
        rules: [
          // First: the prompt that failed stays in the history, before this one.
          { match: { input: 'again' }, reply: { text: 'Fine.' } },
          { match: { input: 'break' }, reply: { fail: { code: 'server_error', message: 'It broke.' } } },
          { match: { input: 'hello' }, reply: { text: 'Fine.' } },
        ],
      };
      const { emulator, session } = await world(t, failing, transport);
      const conversation = session();
      await conversation.run('hello').result();
      const run = conversation.run('break');
      const seen: AgentEvent[] = [];
      await assert.rejects(async () => {
        for await (const event of run) seen.push(event);
      }, /It broke/);
      assert.deepEqual(
        seen.slice(-2).map((event) => (event.type === 'error' ? [event.code, event.server_code] : event)),
        [['response_failed', 'server_error'], { type: 'stream_stopped', reason: 'failed' }],
      );
      await assert.rejects(run.result(), /It broke/);
      assert.equal((await conversation.run('again').result()).text, 'Fine.');
      assert.equal(emulator.journal.turns().at(-1)?.transcript.length, 4);
    });

    test(`a refused turn is an error over ${transport}`, async (t) => {
      const refusing: Script = { turns: [{ error: { status: 400, code: 'invalid_prompt', message: 'Not this.' } }] };
      const { emulator, session } = await world(t, refusing, transport);
      await assert.rejects(session().run('x').result(), /Not this/);
      assert.equal(emulator.journal.turns().length, 1);
    });

    test(`an incomplete response ends the run with its reason over ${transport}`, async (t) => {
      const { session } = await world(t, { turns: [{ text: 'Half a', incomplete: 'max_output_tokens' }] }, transport);
      const seen: AgentEvent[] = [];
      const run = session().run('x');
      await assert.rejects(
        async () => {
          for await (const event of run) seen.push(event);
        },
        { code: 'incomplete', message: /limit of output tokens; raise "max_tokens"/ },
      );
      assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'incomplete' });
      assert.equal(seen.flatMap((event) => (event.type === 'agent_choice' ? [event.content] : [])).join(''), 'Half a');
    });

    test(
      `an abort in the middle of a tool answers every call over ${transport}, and the session goes on`,
      { skip: process.platform === 'win32' },
      async (t) => {
        const hanging: Script = {
          turns: [
            {
              calls: [
                { name: 'shell', arguments: { cmd: 'touch begun; sleep 1000', timeout: 600 } },
                { name: 'read_file', arguments: { path: 'a.txt' } },
              ],
            },
            { text: 'Where were we?' },
          ],
        };
        const { session, directory } = await world(t, hanging, transport);
        const controller = new AbortController();
        const conversation = session();
        const run = conversation.run('x', { signal: controller.signal });
        const seen: AgentEvent[] = [];
        await assert.rejects(
          async () => {
            for await (const event of run) {
              seen.push(event);
              if (event.type === 'tool_call') void begun(join(directory, 'begun')).then(() => controller.abort());
            }
          },
          { name: 'AbortError' },
        );
        assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'aborted' });
        const outputs = conversation.history.flatMap((item) =>
          item.type === 'function_call_output' ? [JSON.stringify(item.output)] : [],
        );
        assert.equal(outputs.length, 2);
        assert.match(outputs[0] ?? '', /interrupted while this call ran/);
        assert.match(outputs[1] ?? '', /was not run/);
        // The emulator refuses a history in which a call has no answer, as the API does.
        assert.equal((await conversation.run('go on').result()).text, 'Where were we?');
      },
    );

    test(`an abort in the middle of a turn ends it over ${transport}`, async (t) => {
      const slow: Script = {
        pace: { first_token_ms: 10, tokens_per_second: 1 },
        turns: [{ text: 'one two three four five six seven' }],
      };
      const { session } = await world(t, slow, transport);
      const controller = new AbortController();
      const run = session().run('x', { signal: controller.signal });
      await assert.rejects(
        async () => {
          for await (const event of run) if (event.type === 'agent_choice') controller.abort();
        },
        { name: 'AbortError' },
      );
    });
  }
});

/** Resolves once there is this file; never rejects, because the test has a bound of its own. */
async function begun(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
}
