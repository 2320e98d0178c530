import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Item, ResponseEvent } from '@turnwire/client';
import { z } from 'zod';
import type { AgentEvent } from '../../dist/agent/events.js';
import type { Answer } from '../../dist/agent/calls/approval.js';
import { createSession, runAgent, type SessionOptions } from '../../dist/agent/session.js';
import { defineTool, type Tool } from '../../dist/agent/tools/tool.js';
import { agent } from './agent.js';
import { call, say, scriptedClient, type ScriptedTurn } from './scripted-client.js';

/** A tool that notes each time it runs. */
function counter(readOnly = false) {
  const ran: string[] = [];
  const tool: Tool = defineTool({
    name: 'note',
    description: 'Notes a text.',
    readOnly,
    input: z.object({ text: z.string() }),
    run: ({ text }) => {
      ran.push(text);
      return text === 'throw' ? Promise.reject(new Error('it went wrong')) : Promise.resolve(`noted ${text}`);
    },
  });
  return { ran, tool };
}

function start(turns: ScriptedTurn[], options: Partial<SessionOptions> = {}) {
  const { ran, tool } = counter();
  const client = scriptedClient(turns);
  const session = createSession({ client, agent, tools: [tool], approval: 'yolo', ...options });
  return { ran, client, session };
}

async function collect(events: AsyncIterable<AgentEvent>): Promise<{ seen: AgentEvent[]; error: unknown }> {
  const seen: AgentEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: undefined };
}

const outputs = (items: readonly { type?: unknown; output?: unknown }[]) =>
  items.flatMap(({ type, output }) => (String(type).endsWith('_output') ? [output] : []));

describe('session of an agent', () => {
  test('items are sent back unchanged, also unknown types and fields', async () => {
    const reasoning: Item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc', novel: { a: [1] } };
    const unknown = { type: 'hologram', id: 'h_1', beam: true } as unknown as Item;
    const { client, session } = start([
      { output: [reasoning, unknown, call('c1', 'note', { text: 'a' })] },
      { output: [say('end')] },
    ]);
    await session.run('go').result();
    assert.deepEqual(client.asked[1]?.input, [
      { type: 'message', role: 'user', content: 'go' },
      reasoning,
      unknown,
      call('c1', 'note', { text: 'a' }),
      { type: 'function_call_output', call_id: 'c1', output: 'noted a' },
    ]);
  });

  test('the failure of a call is its output, and the run goes on', async () => {
    const custom: Item = { type: 'custom_tool_call', call_id: 'c6', name: 'note', input: 'free text' };
    const { ran, client, session } = start([
      {
        output: [
          call('c1', 'note', { text: 'throw' }),
          call('c2', 'note', '{"text": "a'),
          call('c3', 'nothing', {}),
          call('c4', 'note', { text: 5 }),
          call('c5', 'note', ''),
          custom,
          call('c7', 'note', { text: 'b' }),
        ],
      },
      { output: [say('end')] },
    ]);
    const { seen } = await collect(session.run('go'));
    assert.deepEqual(ran, ['throw', 'b']);
    const input = client.asked[1]?.input as { type: string; output?: string; call_id?: string }[];
    const answers = input.slice(8);
    assert.deepEqual(
      answers.map(({ type, call_id: id }) => `${type} ${id}`),
      ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'].map(
        (id) => `${id === 'c6' ? 'custom_tool_call_output' : 'function_call_output'} ${id}`,
      ),
    );
    const expected = [
      /^Error: it went wrong$/,
      /^Error: the arguments are not valid JSON. They were: \{"text": "a\nNothing was run; write the call of note again.$/,
      /there is no tool nothing; the tools are note/,
      /^Error: wrong arguments for note: text: /,
      /wrong arguments for note: text: /,
      /there is no tool note/,
      /^noted b$/,
    ];
    for (const [index, pattern] of expected.entries()) assert.match(answers[index]?.output ?? '', pattern);
    assert.deepEqual(
      seen.flatMap((event) => (event.type === 'tool_call_response' ? [event.outcome] : [])),
      ['failed', 'failed', 'failed', 'failed', 'failed', 'failed', 'done'],
    );
  });

  test('the user is asked before a call that changes things: no, yes, always', async () => {
    const asked: string[] = [];
    const answers: Answer[] = ['no', 'yes', 'always'];
    const approve = ({ arguments: args }: { arguments: string }): Answer => {
      asked.push(args);
      return answers[asked.length - 1] ?? 'no';
    };
    const calls = ['a', 'b', 'c', 'd'].map((text) => call(text, 'note', { text }));
    const { ran, session } = start([{ output: [...calls, call('e', 'note', 'bad')] }, { output: [say('end')] }], {
      approval: { approve },
    });
    const { seen } = await collect(session.run('go'));
    assert.deepEqual(ran, ['b', 'c', 'd']);
    assert.deepEqual(asked, ['{"text":"a"}', '{"text":"b"}', '{"text":"c"}']);
    assert.equal(seen.filter(({ type }) => type === 'tool_call_confirmation').length, 3);
    assert.match(String(outputs(session.history)[0]), /^The user declined/);
  });

  test('a call that only reads asks nobody, and a user who cannot be asked counts as a no', async () => {
    const { ran, tool } = counter(true);
    const approve = () => assert.fail('asked');
    await start([{ output: [call('c1', 'note', { text: 'a' })] }, { output: [say('end')] }], {
      tools: [tool],
      approval: { approve },
    })
      .session.run('go')
      .result();
    assert.deepEqual(ran, ['a']);

    const broken = start([{ output: [call('c1', 'note', { text: 'a' })] }, { output: [say('end')] }], {
      approval: { approve: () => Promise.reject(new Error('the terminal is gone')) },
    });
    await broken.session.run('go').result();
    assert.deepEqual(broken.ran, []);
    assert.match(String(outputs(broken.session.history)[0]), /could not be asked.*the terminal is gone/);
  });

  test('an abort while the user is asked ends the run, and the call was not run', async () => {
    const controller = new AbortController();
    const { ran, session } = start([{ output: [call('c1', 'note', { text: 'a' })] }], {
      approval: {
        approve: () => {
          controller.abort();
          return new Promise<Answer>(() => {});
        },
      },
    });
    const { seen, error } = await collect(session.run('go', { signal: controller.signal }));
    assert.equal((error as Error).name, 'AbortError');
    assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'aborted' });
    assert.deepEqual(ran, []);
    assert.match(String(outputs(session.history)[0]), /not run/);
  });

  test('five identical calls in a row end the run; all calls have answers', async () => {
    const same = (id: string) => call(id, 'note', `{ "text":${' '.repeat(Number(id))}"a" }`);
    const { ran, session } = start([
      { output: [same('1')] },
      { output: [same('2')] },
      { output: [same('3')] },
      { output: [same('4'), same('5'), call('6', 'note', { text: 'b' })] },
    ]);
    const { seen, error } = await collect(session.run('go'));
    assert.match((error as Error).message, /5 times in a row for the same call of note/);
    assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'repeated_calls' });
    assert.equal(ran.length, 4);
    assert.equal(outputs(session.history).length, 6);
  });

  test('four identical calls and another one do not end the run', async () => {
    const turns = 'aaaabaaaab'.split('').map((text, index) => ({ output: [call(String(index), 'note', { text })] }));
    const { ran, session } = start([...turns, { output: [say('end')] }]);
    await session.run('go').result();
    assert.equal(ran.length, 10);
  });

  test('max_iterations ends a run', async () => {
    const { session } = start([{ output: [call('1', 'note', { text: 'a' })] }], {
      agent: { ...agent, maxIterations: 1 },
    });
    const { seen, error } = await collect(session.run('go'));
    assert.match((error as Error).message, /not done after 1 turn,/);
    assert.deepEqual(seen.at(-1), { type: 'stream_stopped', reason: 'max_turns' });
  });

  test('D10: leaving the loop at any event leaves a history in which every call has its answer', async () => {
    const turns = () => [
      { output: [say('x'), call('1', 'note', { text: 'a' }), call('2', 'note', { text: 'b' })] },
      { output: [say('end')] },
    ];
    const { seen } = await collect(start(turns()).session.run('go'));
    for (let stop = 0; stop < seen.length; stop += 1) {
      const { session } = start(turns(), { approval: { approve: () => 'yes' } });
      const run = session.run('go');
      let count = 0;
      for await (const _event of run) if (count++ === stop) break;
      if (stop < seen.length - 1) await assert.rejects(run.result(), { code: 'abandoned' });
      const calls = session.history.filter(({ type }) => type === 'function_call').length;
      assert.equal(outputs(session.history).length, calls, `left at event ${stop}`);
    }
  });

  test('a run is read once, and a session has one at a time', async () => {
    const { session } = start([{ output: [say('end')] }]);
    const run = session.run('go');
    const reader = run[Symbol.asyncIterator]();
    await reader.next();
    assert.throws(() => run[Symbol.asyncIterator](), { code: 'already_read' });
    await assert.rejects(session.run('other').result(), { code: 'busy' });
    while (!(await reader.next()).done);
    assert.equal((await run.result()).text, 'end');
  });

  test('runAgent runs one prompt with the settings of the model, and sends no key "tools" without tools', async () => {
    const client = scriptedClient([{ output: [say('end')] }]);
    const model = { ...agent.model, temperature: 0.5, maxTokens: 7 };
    await runAgent({
      client,
      agent: { ...agent, model, instruction: '' },
      tools: [],
      approval: 'yolo',
      prompt: 'go',
    }).result();
    assert.deepEqual(client.asked, [
      {
        model: 'scripted',
        temperature: 0.5,
        max_output_tokens: 7,
        input: [{ type: 'message', role: 'user', content: 'go' }],
      },
    ]);
  });

  const delta = (text: string): ResponseEvent => ({
    type: 'response.output_text.delta',
    item_id: 'msg_0',
    output_index: 0,
    content_index: 0,
    delta: text,
  });
  const done = (text: string): ResponseEvent => ({
    type: 'response.output_text.done',
    item_id: 'msg_0',
    output_index: 0,
    content_index: 0,
    text,
  });
  const item: ResponseEvent = { type: 'response.output_item.done', output_index: 0, item: say('Hello') };
  const narrations: Record<string, ResponseEvent[]> = {
    'in deltas': [delta('Hel'), delta('lo'), done('Hello'), item],
    'in deltas alone': [delta('Hel'), delta('lo')],
    'in a delta and the rest in done': [delta('Hel'), done('Hello')],
    'in done alone': [done('Hello')],
    'in the item alone': [item],
    'in the terminal response alone': [],
  };
  for (const [where, events] of Object.entries(narrations)) {
    test(`text that comes ${where} is told once`, async () => {
      const { session } = start([{ output: [say('Hello')], events }]);
      const { seen } = await collect(session.run('go'));
      assert.equal(seen.flatMap((event) => (event.type === 'agent_choice' ? [event.content] : [])).join(''), 'Hello');
    });
  }

  test('a character that comes in two pieces is emitted once it is complete', async () => {
    const whole = 'a😀b';
    for (const events of [
      [delta('a\uD83D'), delta('\uDE00b'), done(whole)],
      [delta('a\uD83D'), delta('\uDE00b')],
      [delta('a\uD83D'), done(whole)],
    ]) {
      const { session } = start([{ output: [say(whole)], events }]);
      const { seen } = await collect(session.run('go'));
      const pieces = seen.flatMap((event) => (event.type === 'agent_choice' ? [event.content] : []));
      assert.equal(pieces.join(''), whole);
      assert.ok(pieces.every((piece) => piece.isWellFormed()));
    }
  });

  test('refusals and reasoning are emitted, with parts of a summary apart', async () => {
    const at = { item_id: 'i', output_index: 0 };
    const events: ResponseEvent[] = [
      { type: 'response.reasoning_summary_part.added', ...at, summary_index: 0, part: { type: 'summary_text' } },
      { type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta: 'One' },
      { type: 'response.reasoning_summary_part.added', ...at, summary_index: 1, part: { type: 'summary_text' } },
      { type: 'response.reasoning_summary_text.done', ...at, summary_index: 1, text: 'Two' },
      { type: 'response.refusal.delta', item_id: 'msg_1', output_index: 1, content_index: 0, delta: 'No.' },
    ];
    const refusal: Item = {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'No.' }],
    };
    const { session } = start([{ output: [{ type: 'reasoning', summary: [] }, refusal], events }]);
    const run = session.run('go');
    const { seen } = await collect(run);
    const told = (type: 'agent_choice' | 'agent_choice_reasoning') =>
      seen.flatMap((event) => (event.type === type ? [event.content] : [])).join('');
    assert.equal(told('agent_choice_reasoning'), 'One\n\nTwo');
    assert.equal(told('agent_choice'), 'No.');
    assert.equal((await run.result()).text, 'No.');
  });
});
