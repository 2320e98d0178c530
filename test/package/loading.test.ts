import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The modules of Node that a program has loaded at its end. */
function builtinsOf(program: string, ...options: string[]): string[] {
  const tell = `process.on('exit', () => console.log(JSON.stringify(process.moduleLoadList)));\n`;
  const { stdout, stderr } = spawnSync(process.execPath, [...options, '-e', tell + program], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.notEqual(stdout, '', stderr);
  return (JSON.parse(stdout) as string[]).map((name) => name.replace('NativeModule ', ''));
}

describe('what a program loads with @turnwire/client', () => {
  const programs: Record<string, string[]> = {
    'an import': [`await import('@turnwire/client');`, '--input-type=module'],
    'a require': [`require('@turnwire/client');`],
    'a client of a server without TLS': [
      `(await import('@turnwire/client')).createClient({ apiKey: 'key', baseUrl: 'http://localhost:1/v1' });`,
      '--input-type=module',
    ],
  };
  for (const [name, [program = '', ...options]] of Object.entries(programs)) {
    test(`${name}: sockets, and neither TLS nor DNS nor compression`, () => {
      const loaded = builtinsOf(program, ...options);
      assert.ok(loaded.includes('net'), `no module "net" among ${loaded.length}`);
      assert.deepEqual(
        loaded.filter((module) => ['tls', 'dns', 'zlib'].includes(module)),
        [],
      );
    });
  }
});
