import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a program has that moves from the SDK to `client.turn`: nothing here may need a cast. */
const program = `
import type OpenAI from 'openai';
import { createClient, type SteerInput, type TurnParams } from '@turnwire/client';

declare const input: OpenAI.Responses.ResponseInputItem[];
declare const tools: OpenAI.Responses.Tool[];
declare const params: OpenAI.Responses.ResponseCreateParams;
declare const streaming: OpenAI.Responses.ResponseCreateParamsStreaming;
declare const whole: OpenAI.Responses.ResponseCreateParamsNonStreaming;
declare const said: OpenAI.Responses.EasyInputMessage;
declare const output: OpenAI.Responses.ResponseOutputItem[];
const client = createClient();

export const turns = [
  client.turn({ model: 'any', input, tools }),
  client.turn(params),
  client.turn(streaming),
  client.turn({ ...whole, store: false }),
  client.turn({ model: 'any', input: [...input, said, ...output, { role: 'user', content: 'Go on.' }], top_k: 3 }),
  client.conversation(whole).turn({ input }),
  client.conversation().turn(params),
];
export const warm: Promise<void> = client.warm(params);
export const steered: SteerInput = input;
export const kept: TurnParams = { model: 'any', input };

// @ts-expect-error -- the role is misspelt
client.turn({ model: 'any', input: [{ role: 'usr', content: 'Go.' }] });
// @ts-expect-error -- a message has content
client.turn({ model: 'any', input: [{ role: 'user' }] });
// @ts-expect-error -- a number is no input
client.turn({ model: 'any', input: 3 });
`;

/** The SDK of this repository, and the one that npm picks on Node 20, which `npm run test:extra` installs. */
const sdks = { 7: 'node_modules/openai', 6: '.cache/sdks-node-20/node_modules/openai' } as const;

describe('the types of the openai SDK', () => {
  for (const [major, path] of Object.entries(sdks)) {
    const folder = join(root, path);
    const skip = !existsSync(folder) && 'not installed; "npm run test:extra" installs it';
    test(`client.turn takes the types of openai ${major} without a cast`, { skip }, (t) => {
      // Inside the repository, because that is where the packages can be resolved from.
      mkdirSync(join(root, 'dist-test'), { recursive: true });
      const scratch = mkdtempSync(join(root, 'dist-test', 'openai-'));
      t.after(() => rmSync(scratch, { recursive: true, force: true }));
      writeFileSync(join(scratch, 'program.mts'), program);
      const paths = { openai: [join(folder, 'index.d.mts')], 'openai/*': [`${folder}/*`] };
      const compilerOptions = { noEmit: true, composite: false, rootDir: root, paths };
      writeFileSync(
        join(scratch, 'tsconfig.json'),
        JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions, files: ['program.mts'] }),
      );
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', scratch], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
  }
});
