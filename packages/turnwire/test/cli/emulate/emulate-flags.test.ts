import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { turnwireProcess } from '../child.js';

describe('turnwire emulate: options', () => {
  test('emulate: a dialect, a pace and a faster clock', async (t) => {
    const pace = [
      '--first-token-ms',
      '600000',
      '--tokens-per-second',
      '1000',
      '--jitter',
      '0.1',
      '--clock-speed',
      '10000',
    ];
    const child = turnwireProcess(['emulate', '--json', '--dialect', 'openresponses', ...pace]);
    t.after(() => child.process.kill('SIGKILL'));
    const { url } = JSON.parse(await child.shows('stdout', '\n'));
    const body = JSON.stringify({ model: 'm', input: 'Hello', stream: true });
    const answer = await fetch(`${url}/responses`, { method: 'POST', body });
    assert.match(await answer.text(), /event: response\.completed\n.*\n\ndata: \[DONE\]\n\n$/);
    child.process.kill('SIGTERM');
    assert.equal((await child.left).status, 0);
  });

  test('emulate: invalid combinations of options are refused by name', async () => {
    for (const [flag, value] of [
      ['--dialect', 'openapi'],
      ['--jitter', '2'],
      ['--clock-speed', '0'],
      ['--tokens-per-second', ''],
    ] as const) {
      const { status, stderr } = await turnwireProcess(['emulate', flag, value]).left;
      assert.equal(status, 2);
      assert.ok(stderr.includes(flag), stderr);
    }
  });
});
