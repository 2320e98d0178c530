import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { turnwire } from '../console.js';
import { emulated, scratch } from '../scratch.js';

const MiB = 1024 * 1024;

describe('turnwire run: prompt', () => {
  test('the prompt is the argument; without a script the emulator repeats it', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated });
    const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), 'Say "hello".']);
    assert.equal(status, 0);
    assert.match(stdout, /Say "hello"\.\n$/);
    assert.match(stderr, /^1 turn over websocket/);
  });

  test('"-" reads the prompt from standard input, however it is cut', async (t) => {
    const folder = await scratch(t, { 'agent.yaml': emulated });
    const bytes = Buffer.from('Wie heißt „Oslo“ auf Griechisch: Όσλο?\n');
    const stdin = Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])));
    const { status, stdout } = await turnwire(['run', join(folder, 'agent.yaml'), '-'], { stdin });
    assert.equal(status, 0);
    assert(stdout.includes('Wie heißt „Oslo“ auf Griechisch: Όσλο?'));
  });

  test('a prompt of 5 MiB from standard input arrives whole', async (t) => {
    const script = 'rules: [{ match: { input: "last words" }, reply: { text: "I have read it to the end." } }]\n';
    const folder = await scratch(t, { 'agent.yaml': emulated, 'script.yaml': script });
    const { status, stdout } = await turnwire(
      ['run', join(folder, 'agent.yaml'), '-', '--script', join(folder, 'script.yaml')],
      { stdin: `${'x'.repeat(5 * MiB)} last words` },
    );
    assert.equal(status, 0);
    assert.equal(stdout, 'I have read it to the end.\n');
  });

  const refused: Readonly<Record<string, [prompt: string[], stdin: () => string | Readable, says: RegExp]>> = {
    'an empty argument': [[''], () => '', /prompt is empty/],
    'a blank argument': [[' \n'], () => '', /prompt is empty/],
    'an empty standard input': [['-'], () => '', /standard input held no prompt/],
    'a blank standard input': [['-'], () => ' \n\n', /standard input held no prompt/],
    'no prompt and no terminal': [[], () => '', /no prompt.*argument.*"-"/],
    'a standard input without end': [
      ['-'],
      () => Readable.from(endless(Buffer.alloc(MiB, 0x61))),
      /more than 10 MiB.*file/,
    ],
  };
  for (const [name, [prompt, stdin, says]] of Object.entries(refused)) {
    test(`${name} gets one sentence and status 2`, async (t) => {
      const folder = await scratch(t, { 'agent.yaml': emulated });
      const { status, stdout, stderr } = await turnwire(['run', join(folder, 'agent.yaml'), ...prompt], {
        stdin: stdin(),
      });
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.match(stderr, /^[^\n]+\n$/);
    });
  }
});

async function* endless(chunk: Buffer): AsyncGenerator<Buffer> {
  for (;;) yield chunk;
}
