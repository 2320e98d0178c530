import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { turnwireProcess } from './child.js';
import { scratch } from './scratch.js';

/** Runs a command to its end, or until it has said `ready`; gives the modules that it loaded, without those of Node. */
async function loadedBy(t: TestContext, args: readonly string[], ready?: string): Promise<readonly string[]> {
  const folder = await scratch(t, {});
  const child = turnwireProcess(args, { env: { NODE_V8_COVERAGE: folder } });
  if (ready !== undefined) {
    await child.shows('stdout', ready);
    child.process.kill('SIGTERM');
  }
  assert.equal((await child.left).status, 0);
  const [report = ''] = await readdir(folder);
  const { result } = JSON.parse(await readFile(join(folder, report), 'utf8')) as { result: { url: string }[] };
  const urls = result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  assert.ok(urls.some((url) => url.endsWith('/dist/cli/main.js')));
  return urls;
}

const agents =
  /\/dist\/(?:agent|config)\/|\/packages\/client\/|\/(?:@modelcontextprotocol|marked|string-width|yaml|zod)\//;

describe('modules that a command loads', () => {
  test('--version and --help: the command line alone', async (t) => {
    for (const flag of ['--version', '--help']) {
      const loaded = await loadedBy(t, [flag]);
      assert.deepEqual(
        loaded.filter((url) => agents.test(url) || url.includes('/emulator/bundle/')),
        [],
      );
    }
  });

  test('emulate: the emulator, and nothing of agents, clients, scripts or WebSockets', async (t) => {
    const loaded = await loadedBy(t, ['emulate', '--json'], 'url');
    assert.ok(loaded.some((url) => url.endsWith('/emulator/bundle/emulator.cjs')));
    assert.deepEqual(
      loaded.filter((url) => agents.test(url) || /\/ws\/|script-/.test(url)),
      [],
    );
  });
});
