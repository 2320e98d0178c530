// WebSocket libraries of other languages, as Debian packages them: python3-websockets and golang-github-gorilla-websocket-dev.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { home, run, start } from './client.js';

const source = (name: string): string => fileURLToPath(new URL(`../../test/clients/programs/${name}`, import.meta.url));
/** Where Debian puts the sources of Go's libraries. */
const goPath = '/usr/share/gocode';
// Debian's own Python, before any other one on the path.
const python = ['/usr/bin/python3', 'python3'].find((each) => works(each, ['-c', 'import websockets']));
const hasGorilla = existsSync(`${goPath}/src/github.com/gorilla/websocket`) && works('go', ['version']);

function works(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { timeout: 30_000 }).status === 0;
}

describe('WebSocket libraries of other languages', () => {
  for (const [name, skip, command, args] of [
    ['python3-websockets', python === undefined, python ?? '', [source('chain.py')]],
    ['gorilla', !hasGorilla, 'go', ['run', source('chain.go')]],
  ] as const)
    test(
      `${name}: two turns on one socket, the second a delta`,
      { skip: skip && `${name} is not installed`, timeout: 300_000 },
      async (t) => {
        const emulator = await start(t);
        const env = { GO111MODULE: 'off', GOPATH: goPath, GOFLAGS: '', PYTHONDONTWRITEBYTECODE: '1' };
        const { status, said } = await run(t, command, [...args, emulator.url], await home(t), env);
        assert.equal(status, 0, said);
        assert.deepEqual(said.trim().split('\n'), ['one', 'two']);
        assert.deepEqual(
          emulator.journal.turns().map(({ plan, connection }) => [plan, connection]),
          [
            ['full', 1],
            ['delta', 1],
          ],
        );
      },
    );
});
