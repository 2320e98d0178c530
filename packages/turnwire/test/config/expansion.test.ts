import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { commandPrompt } from '../../dist/config/command-prompt.js';
import { loadConfig } from '../../dist/config/config.js';
import { evaluate, ExpressionError, expressionsIn } from '../../dist/config/variables/expression.js';
import { environmentSecrets } from '../../dist/config/secrets/sources/environment.js';
import { agentFile } from './scratch.js';

const env = {
  MODEL: 'big',
  HOST: 'https://llm.example/v1',
  PLACE: '/data',
  HOME: '/home/me',
  EMPTY: '',
  OPENAI_API_KEY: 'k',
};

const load = async (t: TestContext, yaml: string) =>
  loadConfig(await agentFile(t, yaml), { variables: environmentSecrets(env) });

/** What is said about a file, without its name. */
async function complaints(t: TestContext, yaml: string): Promise<string[]> {
  const error: unknown = await load(t, yaml).catch((reason: unknown) => reason);
  assert.ok(error instanceof Error, 'the file was accepted');
  return error.message.split('\n').map((line) => line.replace(/^.*agent\.yaml:/, ''));
}

describe('expressions in ${…}', () => {
  const scope = { env: new Map(Object.entries(env)), args: ['one', 'two words', '3'] };
  const values: Readonly<Record<string, string | undefined>> = {
    'env.MODEL': 'big',
    'env["MODEL"]': 'big',
    'env.NONE': undefined,
    'env.NONE || "small"': 'small',
    "env.EMPTY || 'small'": 'small',
    "env.EMPTY ?? 'small'": '',
    "env.NONE ?? 'small'": 'small',
    'env.NONE || env.MODEL || "x"': 'big',
    "env.MODEL ? 'yes' : 'no'": 'yes',
    "env.NONE ? 'yes' : 'no'": 'no',
    "env.MODEL === 'big' ? env.PLACE : 'no'": '/data',
    "!env.NONE && env.MODEL != 'small' ? 'a' : 'b'": 'a',
    "'say ' + (env.NONE || 'hi') + '!'": 'say hi!',
    'env.MODEL.toUpperCase()': 'BIG',
    args: 'one two words 3',
    'args[0]': 'one',
    'args[9]': undefined,
    "args[9] || 'none'": 'none',
    'args.join(", ")': 'one, two words, 3',
    "args.slice(1).join('+')": 'two words+3',
    'args.length': '3',
    'args.length > 1': 'throws',
    'process.exit()': 'throws',
    'env.MODEL(': 'throws',
    env: 'throws',
    "args.map('x')": 'throws',
  };
  for (const [source, value] of Object.entries(values)) {
    test(source, () => {
      if (value === 'throws') assert.throws(() => evaluate(source, scope), ExpressionError);
      else assert.equal(evaluate(source, scope), value);
    });
  }

  test('an expression is found with the braces and quotes in it; an expression that does not end is text', () => {
    const found = expressionsIn('a ${env.A || "}"} b ${x({y: 1})} ${env.B\n} ${never');
    assert.deepEqual(
      found.map(({ source }) => source),
      ['env.A || "}"', 'x({y: 1})'],
    );
  });
});

describe('variables in an agent file', () => {
  test('variables are replaced by their values in any field, paths included', async (t) => {
    const { root, models } = await load(
      t,
      `models:
  m: { provider: house, model: '\${env.MODEL}', base_url: '\${env.NONE || env.HOST}' }
agents:
  root:
    model: m
    instruction: 'In \${env.PLACE}: \${env.NONE ? "a" : "b"}, and \${foreign} \${code(1)} stay.'
    add_prompt_files: ['~/notes.md', '$PLACE/x', '\${PLACE}/y']
    toolsets:
      - { type: memory, path: '~/m.json' }
      - { type: script, shell: { here: { cmd: 'echo $PLACE', working_dir: '\${env.PLACE}/$MODEL' } } }
      - { type: shell, env: { A: '\${env.LATER}', B: '\${env.NONE || "b"}', path: '$PLACE/bin:\${MODEL}', C: '$defs $5 $Place' } }
`,
    );
    assert.deepEqual([models.get('m')?.model, models.get('m')?.baseUrl], ['big', 'https://llm.example/v1']);
    assert.equal(root.instruction, 'In /data: b, and ${foreign} ${code(1)} stay.');
    assert.deepEqual(root.addPromptFiles, ['/home/me/notes.md', '/data/x', '/data/y']);
    const [memory, script, shell] = root.toolsets;
    assert.ok(memory?.type === 'memory' && script?.type === 'script' && shell?.type === 'shell');
    assert.equal(memory.path, '/home/me/m.json');
    assert.equal(script.shell['here']?.working_dir, '/data/big');
    assert.equal(script.shell['here']?.cmd, 'echo $PLACE');
    // A secret is looked up when it is used.
    assert.deepEqual(shell.env, { A: '${env.LATER}', B: 'b', path: '${env.PLACE}/bin:${MODEL}', C: '$defs $5 $Place' });
  });

  test('variables that are missing are named with their places, once each', async (t) => {
    const yaml = `models:
  m: { provider: house, model: x, base_url: '\${env.NONE}' }
agents:
  root:
    model: m
    instruction: hi \${env.NEITHER}
    add_prompt_files: [$NOWHERE/x]
`;
    assert.deepEqual(await complaints(t, yaml), [
      '2:45: NONE is not set; set it, or give a default: ${env.NONE || "default"}',
      '6:18: NEITHER is not set; set it, or give a default: ${env.NEITHER || "default"}',
      '7:24: NOWHERE is not set; set it, or give a default: ${env.NOWHERE || "default"}',
    ]);
  });

  test('unknown expressions, and keys outside of "env" and headers, are refused', async (t) => {
    const yaml = `models:
  m: { provider: openai, model: '\${env.MODEL.replace("a")}' }
agents:
  root: { model: m, instruction: 'The key is \${env.OPENAI_API_KEY}.' }
`;
    assert.deepEqual(await complaints(t, yaml), [
      '2:33: there is no replace() here; write ${env.NAME} or ${env.NAME || "default"}',
      '4:34: OPENAI_API_KEY is a key, and may stand in "env" and in headers alone',
    ]);
  });
});

describe('commands of an agent file', () => {
  test('the text behind a command’s name replaces its expression, or follows the prompt without one', () => {
    assert.equal(commandPrompt('Fix ${args[0]} now', 'main.go'), 'Fix main.go now');
    assert.equal(commandPrompt('${args.join("/")}: ${args[1] || "none"} ${other}', `a "b c"`), 'a/b c: b c ${other}');
    assert.equal(commandPrompt('Fix ${args[0]}.', ''), 'Fix .');
    assert.equal(commandPrompt('Fix it', 'now'), 'Fix it\n\nnow');
    assert.equal(commandPrompt('Say ${args}', "$& it's"), "Say $& it's");
  });

  test('commands with an unknown expression are refused with the file', async (t) => {
    const yaml = `agents:
  root:
    model: openai/x
    commands: { a: 'Fix \${args.sort()}', b: '\${args[0] || env.MODEL}', c: '\${env.MODEL} \${args[0]}' }
`;
    assert.deepEqual(await complaints(t, yaml), [
      '4:20: there is no sort() here; write ${args[0]}, ${args} or ${args.join(", ")}',
      '4:45: "env" and "args" cannot stand in one expression',
    ]);
  });
});

describe('results of tools in texts', () => {
  const root = (more: string) => `agents:\n  root:\n    model: openai/gpt-5\n    ${more}\n`;
  for (const text of ['Today is ${shell({cmd: "date"})}.', 'Files: !shell(cmd="ls")', '!list_directory(path=".")']) {
    const [name, type] = /list_directory/.test(text) ? ['list_directory', 'filesystem'] : ['shell', 'shell'];
    test(`${text} needs the tool ${name}, in an instruction and in a command`, async (t) => {
      const said = new RegExp(`what the tool "${name}" returns, and the agent has no such tool`);
      const instruction = `instruction: ${JSON.stringify(text)}`;
      assert.match((await complaints(t, root(instruction))).join('\n'), said);
      const command = `instruction: x\n    commands: { now: ${JSON.stringify(text)} }`;
      assert.match((await complaints(t, root(command))).join('\n'), said);
      const { agents } = await load(t, root(`${instruction}\n    toolsets: [{ type: ${type} }]`));
      assert.equal(agents.get('root')?.instruction, text);
    });
  }

  test('the value of a variable does not become a call, and is not part of one', async (t) => {
    const instruction = JSON.stringify('In ${env.CALL} ${shell({cmd: "ls " + env.PLACE})}');
    const yaml = root(`instruction: ${instruction}\n    toolsets: [{ type: shell }]`);
    const variables = environmentSecrets({ ...env, CALL: '!shell(cmd="rm -rf .")' });
    const error: unknown = await loadConfig(await agentFile(t, yaml), { variables }).catch((reason: unknown) => reason);
    assert.match(String(error), /"env" and the call of a tool cannot stand in one expression/);
    assert.match(String(error), /a variable in it holds what would be read as the call of a tool/);
  });

  test('an exclamation, and code that only looks like a call of a tool, are texts', async (t) => {
    const text = 'Be quick !important( and write ${format(value)} in templates. Really!think(about it)';
    const { agents } = await load(
      t,
      `agents:\n  root:\n    model: openai/gpt-5\n    instruction: ${JSON.stringify(text)}\n`,
    );
    assert.equal(agents.get('root')?.instruction, text);
  });
});
