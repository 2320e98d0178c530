import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { turnwire } from '../console.js';
import { emulated, scratch } from '../scratch.js';

const withKey = `models:
  big:
    provider: openai
    model: gpt-5.4
agents:
  root:
    model: big
`;

const files: Readonly<Record<string, [content: string | Uint8Array, says: RegExp]>> = {
  'a misspelt key': [emulated.replace('instruction', 'instructon'), /agent\.yaml:5:5: .*instructon/],
  'an unknown transport': [
    withKey.replace('gpt-5.4', 'gpt-5.4\n    provider_opts:\n      transport: websockets'),
    /agent\.yaml:6:18: .*websocket/,
  ],
  'an unknown toolset': [emulated.replace('filesystem', 'filesytem'), /agent\.yaml:6:24: .*filesystem/],
  'an empty file': ['', /agent\.yaml.*empty/],
  'a binary file': [new Uint8Array([0, 1, 2, 255, 254, 0, 7]), /agent\.yaml/],
  'a file of 10 MB': ['# padding\n'.repeat(1_000_000), /agent\.yaml/],
};
describe('agent files at the command line', () => {
  for (const [name, [content, says]] of Object.entries(files)) {
    test(`${name} gets one sentence with its place, and status 2`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': content });
      const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.']);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.match(stderr, /^[^\n]+\n$/);
    });
  }

  test('a directory and a missing file get one sentence each, and status 2', async (t) => {
    const folder = await scratch(t);
    await mkdir(join(folder, 'agent.yaml'));
    for (const name of ['agent.yaml', 'missing.yaml']) {
      const { status, stderr } = await turnwire(['run', join(folder, name), 'Go.']);
      assert.equal(status, 2);
      assert(stderr.includes(name));
      assert.match(stderr, /^[^\n]+\n$/);
    }
  });

  const keys: Readonly<Record<string, string | undefined>> = {
    unset: undefined,
    empty: '',
    blank: '   ',
    'with a newline': 'sk-very-secret\n',
    'with a newline inside': 'sk-very\nsecret-key',
    'with a character that is not ASCII': 'sk-very-secret-ключ',
  };
  for (const [name, value] of Object.entries(keys)) {
    test(`OPENAI_API_KEY ${name}: status 2, the variable and the place are named, the value is not`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': withKey });
      const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--debug'], {
        env: { OPENAI_API_KEY: value },
      });
      assert.equal(status, 2);
      assert.match(stderr, /agent\.yaml:\d+:\d+: .*OPENAI_API_KEY/);
      assert.doesNotMatch(stdout + stderr, /sk-very|very-secret|secret-key|ключ/);
    });
  }

  test('--script is refused for a model that is not the emulator', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': withKey, 'script.yaml': 'turns: [{ text: Hello. }]\n' });
    const { status, stderr } = await turnwire(
      ['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')],
      { env: { OPENAI_API_KEY: 'sk-any' } },
    );
    assert.equal(status, 2);
    assert.match(stderr, /^[^\n]*--script[^\n]*emulator[^\n]*\n$/);
  });

  test('a missing or wrong script gets one sentence with the place, and status 2', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': 'turns:\n  - txet: Hello.\n' });
    const wrong = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'script.yaml')]);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /^[^\n]*script\.yaml:2:5: [^\n]*txet[^\n]*\n$/);
    const missing = await turnwire(['run', join(folder, 'agent.yaml'), 'Go.', '--script', join(folder, 'none.yaml')]);
    assert.equal(missing.status, 2);
    assert.match(missing.stderr, /^[^\n]*none\.yaml[^\n]*\n$/);
  });

  test('a working directory that is missing, or a file, gets one sentence and status 2', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated });
    for (const place of ['nowhere', 'agent.yaml']) {
      const { status, stdout, stderr } = await turnwire([
        'run',
        join(folder, 'agent.yaml'),
        'Go.',
        '--working-dir',
        join(folder, place),
      ]);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^[^\n]*working directory[^\n]*\n$/);
      assert(stderr.includes(place));
    }
  });
});
