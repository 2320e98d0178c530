import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { AgentEvent } from '../../../dist/agent/events.js';
import { createSession, type SessionOptions } from '../../../dist/agent/session.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';
import { commandPrompt } from '../../../dist/config/command-prompt.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';
import { agent } from '../agent.js';
import { say, scriptedClient } from '../scripted-client.js';

/** A session whose agent has a tool `shell` that returns what its command is, and what the model was sent. */
function open(instruction: string, options: Partial<SessionOptions> = {}) {
  const ran: unknown[] = [];
  const shell = defineTool({
    name: 'shell',
    description: 'Runs a command.',
    readOnly: false,
    command: 'cmd',
    input: z.object({ cmd: z.string(), lines: z.number().optional(), quiet: z.boolean().optional() }),
    run: (args) => {
      ran.push(args);
      return Promise.resolve(
        args.cmd === 'nested' ? '!shell(cmd="again") ${shell({cmd: "again"})}\n' : `<${args.cmd}>\n`,
      );
    },
  });
  const client = scriptedClient([{ output: [say('end')] }, { output: [say('end')] }]);
  const session = createSession({
    client,
    agent: { ...agent, instruction },
    tools: [shell],
    approval: 'yolo',
    ...options,
  });
  const prompt = async (template: string, typed = ''): Promise<AgentEvent[]> => {
    const seen: AgentEvent[] = [];
    for await (const event of session.run(commandPrompt(template, typed))) seen.push(event);
    return seen;
  };
  const sent = (): unknown => (client.asked[0]?.input as { content: string }[] | undefined)?.[0]?.content;
  return { ran, client, session, prompt, sent };
}

describe('calls of tools in the text of a command', () => {
  const texts: Readonly<Record<string, { typed?: string; sent: string }>> = {
    'Status: !shell(cmd="git status") end': { sent: 'Status: <git status> end' },
    'Lint: ${shell({cmd: "task lint"})}end': { sent: 'Lint: <task lint>\nend' },
    '${shell({cmd: "ls " + args[0], lines: 2}).trim()}': { typed: 'docs more', sent: '<ls docs>' },
    '${args[0] ? shell({cmd: "a"}) : shell({cmd: "b"})}': { sent: '<b>\n' },
    '${shell({cmd: "a"}).trim() + shell({cmd: "b"}).trim()}': { sent: '<a><b>' },
    "!shell(cmd='git log ${args[0]}' lines=3 quiet=true)": { typed: 'main', sent: '<git log main>' },
    'Look: !shell(cmd=pwd)': { typed: 'please', sent: 'Look: <pwd>\n\nplease' },
    'Is !shell(cmd=1) and ${other(1)} and !nothing(a=1)': { sent: 'Is <1> and ${other(1)} and !nothing(a=1)' },
  };
  for (const [template, { typed, sent: expected }] of Object.entries(texts)) {
    test(`${template} is sent with the results of its tools`, async () => {
      const { prompt, sent } = open('x');
      await prompt(template, typed);
      assert.equal(sent(), expected);
    });
  }

  test('calls in typed words and in results are not run', async () => {
    const { ran, prompt, sent } = open('x');
    await prompt('${args[0]} !shell(cmd="nested")', '\'!shell(cmd="typed")\'');
    assert.deepEqual(ran, [{ cmd: 'nested' }]);
    assert.equal(sent(), '!shell(cmd="typed") !shell(cmd="again") ${shell({cmd: "again"})}');
  });

  test('numbers and booleans without quotes reach the tool in their type', async () => {
    const { ran, prompt } = open('x');
    await prompt('!shell(cmd=1 lines=2, quiet=false)');
    assert.deepEqual(ran, [{ cmd: '1', lines: 2, quiet: false }]);
  });

  test('the user is asked about each call, and a refusal replaces its result', async () => {
    const asked: string[] = [];
    const approve = (call: { arguments: string }): 'no' => {
      asked.push(call.arguments);
      return 'no';
    };
    const { ran, prompt, sent } = open('x', { approval: { approve } });
    const seen = await prompt('Now: !shell(cmd="rm -rf x")');
    assert.deepEqual([asked, ran], [['{"cmd":"rm -rf x"}'], []]);
    assert.equal(sent(), 'Now: The user declined this call.');
    const types = seen.map(({ type }) => type);
    assert.ok(types.indexOf('tool_call_response') < types.indexOf('user_message'), types.join(', '));
  });

  test('a rule that denies holds, also with yolo', async () => {
    const rules = permissionsSchema.parse({ deny: ['shell:cmd=rm*'] });
    const { ran, prompt, sent } = open('x', { rules });
    await prompt('${shell({cmd: "rm -rf x"})}');
    assert.deepEqual(ran, []);
    assert.equal(sent(), 'This call is not allowed: the rule "shell:cmd=rm*" denies it.');
  });

  test('a sentence replaces the call of an unknown tool', async () => {
    const { prompt, sent } = open('x', { tools: [] });
    await prompt('!read_file(path="a")');
    assert.equal(sent(), 'Error: there is no tool read_file; you have no tools');
  });
});

describe('calls of tools in an instruction', () => {
  test('run once in a session, before its first turn', async () => {
    const { ran, client, session } = open('The branch is !shell(cmd="git branch").');
    await session.run('one').result();
    await session.run('two').result();
    assert.deepEqual(ran, [{ cmd: 'git branch' }]);
    const instructions = client.asked.map((each) => each.instructions);
    assert.deepEqual(instructions, ['The branch is <git branch>.', 'The branch is <git branch>.']);
  });

  test('leave the text around the instruction unchanged', async () => {
    const { client, session } = open('!shell(cmd=a)', {
      instructions: (text) => `${text}\n\nFrom a file: !shell(cmd=b)`,
    });
    await session.run('one').result();
    assert.equal(client.asked[0]?.instructions, '<a>\n\nFrom a file: !shell(cmd=b)');
  });
});
