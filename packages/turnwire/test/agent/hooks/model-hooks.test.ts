import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Item } from '@turnwire/client';
import { z } from 'zod';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession } from '../../../dist/agent/session.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import type { TurnClient } from '../../../dist/agent/turn/turn.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { agent } from '../agent.js';
import { scratch } from '../scratch.js';
import { call, say, scriptedClient } from '../scripted-client.js';

const judge = { ...agent.model, name: 'judge' };
const asks = (more: object = {}) => ({ type: 'model', model: 'judge', prompt: '{{ .ToolInput | toJSON }}', ...more });
const deciding = (more: object = {}) => ({ hooks: asks({ schema: 'pre_tool_use_decision', ...more }) });

/** One call of a tool, with a model that is asked by a hook. `answers` are those of that model. */
async function run(t: TestContext, hooks: object, answers: readonly Item[][] | TurnClient) {
  const ran: unknown[] = [];
  const tool = defineTool({
    name: 'write',
    description: 'Writes.',
    readOnly: false,
    input: z.object({ text: z.string() }),
    run: (args) => Promise.resolve(String(ran.push(args))),
  });
  const main = scriptedClient([{ output: [call('1', 'write', { text: 'x' })] }, { output: [say('Done.')] }]);
  const asked = 'turn' in answers ? undefined : scriptedClient(answers.map((output) => ({ output })));
  const judging = asked ?? (answers as TurnClient);
  const session = createSession({
    client: (model) => (model.name === 'judge' ? judging : main),
    agent: { ...agent, hooks: hooksSchema.parse(hooks), hookModels: new Map([['judge', judge]]) },
    tools: [tool],
    approval: 'yolo',
    hooksIn: { directory: await scratch(t), env: {} },
  });
  const events: AgentEvent[] = [];
  try {
    for await (const event of session.run('Go.')) events.push(event);
  } catch {
    // The events say it.
  }
  return { ran, events, main, questions: asked?.asked ?? [] };
}

describe('a hook of type model', () => {
  test('asks the model by its template, for an answer in its schema', async (t) => {
    const { ran, questions } = await run(t, { pre_tool_use: deciding() }, [
      [say('{"decision":"allow","reason":"harmless"}')],
    ]);
    assert.equal(ran.length, 1);
    const [question] = questions;
    assert.deepEqual(question?.input, [{ type: 'message', role: 'user', content: '{"text":"x"}' }]);
    assert.match(JSON.stringify(question?.['text']), /"name":"pre_tool_use_decision".*"strict":true/);
    assert.match(String(question?.instructions), /never instructions to you/);
    assert.equal(question?.['tools'], undefined);
  });

  const answers: readonly (readonly [string, string])[] = [
    ['a no', '{"decision":"deny","reason":"it writes"}'],
    ['no reason', '{"decision":"allow"}'],
    ['another word', '{"decision":"yes","reason":"x"}'],
    ['a field more', '{"decision":"allow","reason":"x","sure":true}'],
    ['two decisions', '{"decision":"deny","decision":"allow","reason":"x"}'],
    ['a text', 'allow'],
    ['nothing', ''],
    ['a fence', '```json\n{"decision":"allow","reason":"x"}\n```'],
    ['too much', `{"decision":"allow","reason":"${'x'.repeat(20_000)}"}`],
  ];
  for (const [name, text] of answers) {
    test(`blocks the call with ${name}`, async (t) => {
      const { ran, events } = await run(t, { pre_tool_use: deciding() }, [[say(text)]]);
      assert.deepEqual(ran, []);
      assert.deepEqual(events.at(-1), { type: 'stream_stopped', reason: 'completed' });
    });
  }

  test('blocks the call where the model fails', async (t) => {
    const failing: TurnClient = {
      turn: () => {
        throw new Error('no such model');
      },
    };
    const { ran, main } = await run(t, { pre_tool_use: deciding() }, failing);
    assert.deepEqual(ran, []);
    assert.match(JSON.stringify(main.asked[1]?.input), /judge: no such model/);
  });

  test('blocks the call where the model takes longer than its timeout', async (t) => {
    const silent: TurnClient = {
      turn: () => ({
        // oxlint-disable-next-line require-yield
        async *[Symbol.asyncIterator]() {
          await new Promise(() => {});
        },
        response: () => new Promise(() => {}),
        report: undefined as never,
      }),
    };
    // Sockets would keep the process alive; a timeout by itself does not.
    const alive = setInterval(() => {}, 1000);
    t.after(() => clearInterval(alive));
    const { ran, main } = await run(t, { pre_tool_use: deciding({ timeout: 1 }) }, silent);
    assert.deepEqual(ran, []);
    assert.match(JSON.stringify(main.asked[1]?.input), /it took longer than 1 s/);
  });

  test('has the user asked about the call', async (t) => {
    const { ran } = await run(t, { tool_guard: deciding() }, [[say('{"decision":"ask","reason":"look at it"}')]]);
    assert.deepEqual(ran, [], 'nobody is there to ask');
  });

  test('gives its text to the agent where it has no schema', async (t) => {
    const hook = asks({ prompt: 'Of turn {{ .Iteration }}?' });
    const { main, questions } = await run(t, { turn_start: hook }, [[say(' Be careful. ')], [say('Be careful.')]]);
    assert.match(JSON.stringify(questions[1]?.input), /"content":"Of turn 2\?"/);
    assert.match(JSON.stringify(main.asked[0]?.input), /"developer","content":"Be careful\."/);
  });

  test('ends the run by guard_decision at a point where a refusal does', async (t) => {
    const hook = asks({ schema: 'guard_decision', prompt: '{{ .Prompt }}' });
    const { main, events } = await run(t, { user_prompt_submit: hook }, [[say('{"decision":"deny","reason":"no"}')]]);
    assert.deepEqual(main.asked, []);
    assert.deepEqual(events.at(-1), { type: 'stream_stopped', reason: 'hook_blocked' });
  });
});
