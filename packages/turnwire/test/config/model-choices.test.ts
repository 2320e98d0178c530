// Which models a file comes to: by the keys that are there, by what other models name, and what holds a run back.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { loadConfig } from '../../dist/config/config.js';
import { modelsOf } from '../../dist/config/models/models-of.js';
import { agentFile } from './scratch.js';

/** A source that has these keys. */
const keys = (...names: string[]) => ({
  get: (name: string) => Promise.resolve(names.includes(name) ? { value: 'k', source: 'a test' } : undefined),
});

const load = async (t: TestContext, yaml: string, ...names: string[]) =>
  loadConfig(await agentFile(t, yaml), { variables: keys(...names) });

const refused = (t: TestContext, yaml: string, said: RegExp): Promise<void> =>
  assert.rejects(load(t, yaml), (error: Error) => {
    assert.match(error.message, said);
    return true;
  });

describe('a model that is chosen when the file is read', () => {
  test('auto is the first built-in provider whose key is there', async (t) => {
    const yaml = 'agents: { root: { model: auto } }';
    assert.equal((await load(t, yaml, 'OPENAI_API_KEY', 'XAI_API_KEY')).root.model.provider, 'openai');
    assert.equal((await load(t, yaml, 'XAI_API_KEY')).root.model.provider, 'xai');
    assert.equal((await load(t, yaml, 'OPENROUTER_API_KEY')).root.model.model, 'openai/gpt-5-mini');
  });

  test('auto without any key asks for the key of the first provider', async (t) => {
    const file = await agentFile(t, 'agents: { root: { model: auto } }');
    await assert.rejects(loadConfig(file, { secrets: keys() }), /OPENAI_API_KEY/);
  });

  test('first_available skips models of unsupported providers, and those without a key', async (t) => {
    const yaml =
      'models: { smart: { first_available: [anthropic/claude, openai/gpt-5, xai/grok-4] } }\nagents: { root: { model: smart } }';
    assert.equal((await load(t, yaml, 'OPENAI_API_KEY')).root.model.name, 'openai/gpt-5');
    assert.equal((await load(t, yaml, 'XAI_API_KEY')).root.model.name, 'xai/grok-4');
    assert.equal((await load(t, yaml)).root.model.name, 'openai/gpt-5');
  });

  test('first_available without a usable model is refused with the reasons', async (t) => {
    await refused(
      t,
      'models: { smart: { first_available: [anthropic/claude, google/gemini] } }\nagents: { root: { model: smart } }',
      /:1:20: none of these models can be used: provider "anthropic".*; provider "google"/,
    );
  });

  test('an entry with first_available has no other keys', async (t) => {
    await refused(
      t,
      'models: { smart: { first_available: [openai/a], temperature: 1 } }\nagents: { root: { model: smart } }',
      /unknown key "temperature"/,
    );
    await refused(
      t,
      'models: { smart: { first_available: openai/a } }\nagents: { root: { model: smart } }',
      /"first_available" must be a list of models/,
    );
  });

  test('several models in one agent take turns, each with its own problems', async (t) => {
    const { root } = await load(t, 'agents: { root: { model: "openai/a, xai/b" } }');
    assert.deepEqual(
      root.alternates.map(({ name }) => name),
      ['openai/a', 'xai/b'],
    );
    await refused(t, 'agents: { root: { model: "openai/a,anthropic/b" } }', /provider "anthropic"/);
    await refused(t, 'agents: { root: { model: openai/a, fallback: { models: ["a,b"] } } }', /here stands one model/);
  });
});

describe('models that models name', () => {
  const yaml = `
models:
  main: { provider: openai, model: a, compaction_model: small, title_model: openai/t, routing: [{ model: other, examples: [x] }] }
  small: { provider: openai, model: b }
  other: { provider: openai, model: c }
  reader: { provider: openai, model: d }
agents:
  root: { model: main, toolsets: [{ type: shell, model: reader }, { type: model_picker, models: [small, openai/p] }] }
`;
  test('are found, and all of them are models of the agent', async (t) => {
    const { root } = await load(t, yaml);
    const { compaction, title, routes } = root.model.links;
    assert.deepEqual([compaction?.name, title?.name, routes[0]?.model.name], ['small', 'openai/t', 'other']);
    assert.deepEqual(
      modelsOf(root).map(({ name }) => name),
      ['main', 'reader', 'small', 'openai/p', 'small', 'openai/t', 'other'].filter(
        (name, at, all) => all.indexOf(name) === at,
      ),
    );
  });

  for (const key of ['compaction_model: smal', 'title_model: smal', 'routing: [{ model: smal, examples: [x] }]']) {
    test(`a misspelt name is refused where it stands: ${key}`, async (t) => {
      await refused(
        t,
        `models:\n  small: { provider: openai, model: b }\n  main: { provider: openai, model: a, ${key} }\nagents: { root: { model: main } }`,
        /:3:\d+: there is no model "smal"; did you mean "small"\?/,
      );
    });
  }

  test('a provider names one for all its models, inline ones included', async (t) => {
    const { root } = await load(
      t,
      'providers: { house: { base_url: "https://example.com/v1", compaction_model: house/small } }\nagents: { root: { model: house/large } }',
    );
    assert.equal(root.model.links.compaction?.name, 'house/small');
  });
});

describe('settings that keep a run from starting', () => {
  test('a budget of money needs the cost of each model', async (t) => {
    await refused(
      t,
      'budget: { max_cost: 1 }\nagents: { root: { model: openai/a } }',
      /:1:21: budget\.max_cost cannot be held: nothing says what the model "openai\/a" costs/,
    );
  });

  test('an unknown budget gets a suggestion', async (t) => {
    await refused(
      t,
      'budgets: { search: { max_tokens: 5 } }\nagents: { root: { model: openai/a, budgets: [serch] } }',
      /nothing under "budgets" is called "serch"; did you mean "search"\?/,
    );
  });

  test('agents that would hand over for ever are refused, with their circle', async (t) => {
    await refused(
      t,
      'agents: { a: { model: openai/a, force_handoff: b }, b: { model: openai/a, force_handoff: a } }',
      /hand over in a circle \(a → b → a\)/,
    );
  });

  test('a secret in a header of fetch needs the domains that it may go to', async (t) => {
    const toolset = (more: string) =>
      `agents: { root: { model: openai/a, toolsets: [{ type: fetch, headers: { Authorization: "Bearer \${env.T}" }${more} }] } }`;
    await refused(t, toolset(''), /"Authorization" holds a secret.*give the toolset "allowed_domains"/);
    await load(t, toolset(', allowed_domains: [example.com]'));
  });

  test('background_agents without sub_agents is refused', async (t) => {
    await refused(
      t,
      'agents: { root: { model: openai/a, toolsets: [{ type: background_agents }] } }',
      /has none; add them/,
    );
  });
});

describe('parts of the file that agents take', () => {
  test('commands, one or several under a name; those of the agent go before', async (t) => {
    const { root } = await load(
      t,
      `commands: { fix: Fix it., house: { tidy: Tidy up., test: { instruction: Test. } } }
agents: { root: { model: openai/a, use_commands: [fix, house], commands: { test: Mine. } }, other: { model: openai/a } }`,
    );
    assert.deepEqual(
      [...root.commands].map(([name, { instruction }]) => `${name} ${instruction}`),
      ['fix Fix it.', 'tidy Tidy up.', 'test Mine.'],
    );
  });

  test('a command of another agent, and one that opens an address', async (t) => {
    const yaml = (agent: string, url: string) =>
      `agents: { root: { model: openai/a, commands: { p: { agent: ${agent} }, u: { url: "${url}" } } }, planner: { model: openai/a } }`;
    const { root } = await load(t, yaml('planner', 'https://example.com/{{session_id}}'));
    assert.equal(root.commands.get('p')?.agent, 'planner');
    await refused(t, yaml('planer', 'https://example.com/'), /there is no agent "planer"; did you mean "planner"\?/);
    await refused(t, yaml('planner', 'example'), /this is no address/);
  });

  test('an instruction of a file, beside the agent file', async (t) => {
    const file = await agentFile(t, 'agents: { root: { model: openai/a, instruction_file: root.md } }');
    await assert.rejects(loadConfig(file), /root\.md cannot be read/);
    await writeFile(join(dirname(file), 'root.md'), 'Be brief.');
    assert.equal((await loadConfig(file)).root.instruction, 'Be brief.');
  });

  test('skills of the file, of the agent and of an address, which is an https one', async (t) => {
    const { root } = await load(
      t,
      `skills: { house: [{ name: a, description: d, instructions: i }] }
agents: { root: { model: openai/a, use_skills: [house], skills: [commit, { name: b, description: d, instructions: i, context: fork }] } }`,
    );
    assert.deepEqual(root.skills.names, ['commit']);
    assert.deepEqual(
      root.skills.inline.map(({ name, fork }) => [name, fork]),
      [
        ['a', false],
        ['b', true],
      ],
    );
    const there = await load(t, 'agents: { root: { model: openai/a, skills: ["https://x.y/z"] } }');
    assert.deepEqual([there.root.skills.addresses, there.root.skills.found], [['https://x.y/z'], false]);
    await refused(
      t,
      'agents: { root: { model: openai/a, skills: ["http://x.y/z"] } }',
      /come from an https:\/\/ address/,
    );
  });
});
