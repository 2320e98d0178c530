import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A test file of a project that has no types but those of the emulator. */
const program = `
import { createTestAuthority, ManualClock, startEmulator, startLink, startRecorder, useEmulator } from '@turnwire/emulator';
import type { Emulator, EmulatorOptions, Journal, JournalTurn, RecorderOptions } from '@turnwire/emulator';

const options: EmulatorOptions = { clock: new ManualClock(), allowedHosts: ['emulator'], credentials: 'shared' };
const recorder: RecorderOptions = { upstream: 'https://api.example/v1', file: 'run.jsonl' };
export const started: Promise<Emulator> = startEmulator({ ...options, script: { turns: [{ text: 'Hello.' }] } });
export const turns = (journal: Journal): readonly JournalTurn[] => journal.turns();
export const used = useEmulator();
export const others = [startRecorder(recorder), startLink({ to: 1 }), createTestAuthority()];
export async function run(): Promise<string> {
  await using emulator = await started;
  return emulator.url;
}
`;

describe('the types of the emulator', () => {
  for (const resolution of ['bundler', 'node20'])
    for (const extension of ['mts', 'cts'])
      test(`${resolution}, .${extension}: are complete without the types of Node.js and of a browser`, (t) => {
        // Inside the repository, because that is where the package can be resolved from.
        mkdirSync(join(root, 'dist-test'), { recursive: true });
        const scratch = mkdtempSync(join(root, 'dist-test', 'emulator-types-'));
        t.after(() => rmSync(scratch, { recursive: true, force: true }));
        writeFileSync(join(scratch, `program.${extension}`), program);
        const modules = resolution === 'bundler' ? { module: 'preserve' } : { module: resolution };
        const compilerOptions = {
          ...modules,
          noEmit: true,
          strict: true,
          target: 'es2022',
          lib: ['es2022'],
          types: [],
        };
        const files = [`program.${extension}`];
        writeFileSync(
          join(scratch, 'tsconfig.json'),
          JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: false }, files }),
        );
        const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
        const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', scratch], { encoding: 'utf8' });
        assert.equal(status, 0, stdout);
      });

  test('main and types are those of CommonJS, for TypeScript with moduleResolution node10, which reads no exports', () => {
    const folder = join(root, 'packages', 'emulator');
    const { main, types, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      main: string;
      types: string;
      exports: Record<string, { require: object }>;
    };
    assert.deepEqual({ default: main, types }, exports['.']?.require);
    for (const file of [main, types]) assert.ok(existsSync(join(folder, file)), file);
  });
});
