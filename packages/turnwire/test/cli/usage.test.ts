import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { turnwire } from './console.js';

const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

describe('turnwire: usage', () => {
  test('--version prints the version of the package, and nothing else', async () => {
    for (const flag of ['--version', '-V'])
      assert.deepEqual(await turnwire([flag]), { status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('--help names the verbs and the exit statuses; each verb has help of its own', async () => {
    const { status, stdout, stderr } = await turnwire(['--help']);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    for (const word of ['demo', 'run', 'emulate', 'bench', '0 done', '1 failed', '2 wrong usage', '130', '141'])
      assert(stdout.includes(word), word);
    const options = {
      demo: ['--rtt', '--uplink', '--keep', '--json', '--debug'],
      run: ['<file>', '[prompt]', '--yolo', '--json', '--working-dir', '--script', '--debug'],
      bench: [
        '--url',
        '--model',
        '--key-from',
        '--rtt',
        '--turns',
        '--result',
        '--rounds',
        '--yes',
        '--json',
        '--svg',
        '--debug',
      ],
      check: [
        '[url]',
        '--model',
        '--profile',
        '--only',
        '--budget',
        '--yes',
        '--list',
        '--json',
        'Examples:',
        'docs/check.md',
      ],
      doctor: ['<url>', '--model', '--wait', '--size', '--yes', '--json', 'Examples:', 'docs/doctor.md'],
      emulate: ['[script]', '--port', '--host', '--recordings', '--json', '--debug'],
    };
    for (const [verb, names] of Object.entries(options)) {
      const help = await turnwire([verb, '--help']);
      assert.equal(help.status, 0);
      for (const name of names) assert(help.stdout.includes(name), `${verb} ${name}`);
    }
  });

  test('the help of each verb has examples whose options exist, and names its page', async () => {
    const { stdout } = await turnwire(['--help']);
    const verbs = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) =>
      String(verb),
    );
    assert(verbs.length >= 11);
    for (const verb of verbs) {
      const { stdout: help } = await turnwire([verb, '--help']);
      const [before = '', after = ''] = help.split('\nExamples:\n');
      const examples = after.match(/^ {2}.*\bturnwire [a-z]+.*$/gm) ?? [];
      assert(examples.length > 0, verb);
      for (const example of examples) {
        assert.match(example, new RegExp(`turnwire ${verb}\\b`));
        for (const [flag] of example.matchAll(/--[a-z][a-z-]*/g)) assert(before.includes(`${flag} `), example);
      }
      const [, page = ''] = /^More: (docs\/\S+\.md)$/m.exec(after) ?? [];
      assert(existsSync(join(repository, page)) && page !== '', `${verb}: ${page}`);
    }
  });

  test('a missing verb is wrong usage, and prints the help on standard error', async () => {
    const { status, stdout, stderr } = await turnwire([]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /Usage: turnwire/);
  });

  const wrong: Readonly<Record<string, [argv: string[], says: RegExp]>> = {
    'a misspelt verb': [['rnu'], /unknown command 'rnu'[\s\S]*run/],
    'a misspelt option': [['demo', '--rt', '1'], /unknown option '--rt'[\s\S]*--rtt/],
    'an unknown option of the program': [['--colour'], /unknown option '--colour'/],
    'a missing file': [['config'], /missing required argument 'file'/],
    'too many arguments': [['run', 'a.yaml', 'say', 'hello'], /too many arguments/],
    'an option without its value': [['run', 'a.yaml', '--script'], /--script/],
    'a port that is no number': [['emulate', '--port', 'http'], /--port[\s\S]*from 0 to 65535/],
    'a port that is too high': [['emulate', '--port', '65536'], /--port[\s\S]*from 0 to 65535/],
    'a negative round trip': [['demo', '--rtt=-1'], /--rtt[\s\S]*from 0 to 10000/],
    'an empty round trip': [['demo', '--rtt='], /--rtt[\s\S]*from 0 to 10000/],
    'a round trip that is no number': [['demo', '--rtt', 'NaN'], /--rtt[\s\S]*from 0 to 10000/],
    'an uplink that is endless': [['demo', '--uplink', 'Infinity'], /--uplink[\s\S]*from 0 to/],
  };
  for (const [name, [argv, says]] of Object.entries(wrong)) {
    test(`${name} ends with status 2 and a sentence`, async () => {
      const { status, stdout, stderr } = await turnwire(argv);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.match(stderr, /^turnwire: /);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
  }

  test('a run without a file names the default file', async () => {
    const { status, stderr } = await turnwire(['run'], { cwd: import.meta.dirname });
    assert.equal(status, 2);
    assert.match(stderr, /^there is no agent file: name one, or call it docker-agent\.yaml\n$/);
  });

  test('a prompt of several words without quotes gets a hint', async () => {
    const { status, stderr } = await turnwire(['run', 'agent.yaml', 'fix', 'the', 'tests']);
    assert.equal(status, 2);
    assert.match(stderr, /^turnwire: too many arguments: put a prompt of several words in quotes, as in /);
  });
});
