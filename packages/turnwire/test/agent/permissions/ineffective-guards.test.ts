import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ineffectiveMatchers, ineffectiveRules } from '../../../dist/agent/permissions/ineffective-guards.js';
import { hooksSchema } from '../../../dist/config/schema/agents/hooks.js';
import { permissionsSchema } from '../../../dist/config/schema/agents/permissions.js';
import { defineTool } from '../../../dist/agent/tools/tool.js';

const made = (name: string, input: z.ZodType, more = {}) => ({
  ...defineTool({ name, description: '', readOnly: false, input, run: () => Promise.resolve('') }),
  ...more,
});
const tools = [
  made('shell', z.object({ cmd: z.string(), cwd: z.string() })),
  made('read_multiple_files', z.object({ paths: z.array(z.string()) }), { restrictedAs: 'read_file' }),
  made('docs_search', z.looseObject({}), { alias: 'mcp:docs:search' }),
];

describe('rules that never hold', () => {
  const of = (...deny: string[]) => ineffectiveRules(permissionsSchema.parse({ deny }), tools);

  test('a rule with an argument that its tool does not have, or a misspelt tool, brings a warning', () => {
    assert.deepEqual(of('shell:command=rm*', 'Shel', 'shel:cmd=rm*', 'SHELL:cmd=rm*'), [
      'the rule "shell:command=rm*" of "deny" never holds: shell has no argument command, but cmd, cwd',
      'the rule "Shel" of "deny" never holds: there is no tool Shel; did you mean shell?',
      'the rule "shel:cmd=rm*" of "deny" never holds: there is no tool shel; did you mean shell?',
    ]);
  });

  test('a rule whose argument has no name brings a warning with the rule that is meant', () => {
    const said = (rule: string, meant: string) =>
      `the rule "${rule}" of "deny" never holds: its argument has no name; did you mean ${meant}?`;
    assert.deepEqual(of('shell:sudo*', 'Shell(rm*)', 'read_multiple_files:*.env'), [
      said('shell:sudo*', 'shell:cmd=sudo*'),
      said('Shell(rm*)', 'shell:cmd=rm*'),
      said('read_multiple_files:*.env', 'read_multiple_files:paths=*.env'),
    ]);
  });

  test('a rule that may hold, or is about a tool that no agent has, brings no warning', () => {
    assert.deepEqual(
      of('shell:cmd=rm*:cwd=x', 'read_file:path=*.env', 'read_*', 'mcp:docs:*', 'docs_search:query=x', 'fetch', 'x*'),
      [],
    );
  });
});

describe('matchers that know no tool', () => {
  const of = (matcher: string) =>
    ineffectiveMatchers(
      'root',
      hooksSchema.parse({ pre_tool_use: { matcher, hooks: { type: 'command', command: 'x' } } }),
      tools,
    );

  test('a matcher that would match a tool in another spelling brings a warning', () => {
    assert.deepEqual(of('Shell|Edit'), [
      'the matcher "Shell|Edit" of pre_tool_use is about no tool of root; did you mean shell?',
    ]);
    assert.equal(of('shel').length, 1);
  });

  test('a matcher that is written as a glob or as a list brings a warning, also beside one that matches', () => {
    const meant: Readonly<Record<string, string>> = {
      'mcp:*': 'mcp:.*',
      'mcp:docs:*': 'mcp:docs:.*',
      'read_*': 'read_.*',
      'shell|read_*': 'read_.*',
      'shell, docs_search': 'shell|docs_search',
    };
    for (const [matcher, other] of Object.entries(meant))
      assert.match(of(matcher).join(), new RegExp(`did you mean ${other.replace(/[.*|]/g, '\\$&')}\\?$`), matcher);
  });

  test('a matcher that matches a tool, or is about something else, brings no warning', () => {
    for (const matcher of [
      '*',
      '',
      'shell',
      'sh.*',
      'mcp:docs:.*',
      'read_file',
      'write_file',
      'shell|bash',
      '(?i)SHELL',
      'write_.*|shell',
    ])
      assert.deepEqual(of(matcher), []);
  });
});
