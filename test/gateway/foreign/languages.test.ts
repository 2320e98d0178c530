// Programs in other languages, unmodified: curl and Python, where this machine has them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { countFiles, loopTurns } from '../../interop/conversations.js';
import { run } from './run.js';
import { eventsOf, message, setUp } from '../setup.js';
import { assertLoop, assertUndisturbed, type Loop } from './tool-loop.js';

/** The first of these programs that runs with these arguments; a machine may have several Pythons. */
function found(programs: readonly string[], args: readonly string[]): string | undefined {
  return programs.find((program) => spawnSync(program, args, { stdio: 'ignore' }).status === 0);
}

const curl = found(['curl'], ['--version']);
const python = found(['python3', '/usr/bin/python3'], ['-c', 'import http.client']);
const aiohttp = found(['python3', '/usr/bin/python3'], ['-c', 'import aiohttp']);
const websockets = found(['python3', '/usr/bin/python3'], ['-c', 'import websockets']);

const title = (row: string): string =>
  `${row}: of ${loopTurns} turns those go up as deltas that docs/gateway.md promises`;

interface Item {
  type: string;
  call_id: string;
  arguments: string;
  content: { text: string }[];
}

describe('gateway: curl', { skip: curl === undefined && 'curl is not installed' }, () => {
  const post = (url: string, args: readonly string[], input: string | Buffer): Promise<string> =>
    run(
      curl ?? '',
      ['-sSN', `${url}/responses`, '-H', 'authorization: Bearer sk-of-a-test', '--data-binary', '@-', ...args],
      input,
    );

  const row = 'curl: an event stream, each turn a process of its own';
  test(title(row), (t) =>
    assertLoop(t, row, async (url) => {
      const input: object[] = [message('How many files are there?')];
      for (;;) {
        const text = await post(url, [], JSON.stringify({ model: 'gpt-5.4', stream: true, input }));
        const { response } = eventsOf(text).at(-1) as unknown as { response: { output: Item[] } };
        const { output } = response;
        const calls = output.filter(({ type }) => type === 'function_call');
        if (calls.length === 0) return output.at(-1)?.content[0]?.text;
        input.push(...output);
        for (const { call_id, arguments: args } of calls)
          input.push({
            type: 'function_call_output',
            call_id,
            output: countFiles(JSON.parse(args) as { folder: string; depth: number }),
          });
      }
    }),
  );

  const small = JSON.stringify({ model: 'm', input: 'One two three.', stream: true });
  // curl asks for "100 Continue" before a body of more than a megabyte.
  const large = JSON.stringify({ model: 'm', input: 'x'.repeat(1_200_000), stream: true });
  for (const [what, args, body] of [
    ['a body for which curl waits for 100 Continue', ['-H', 'expect: 100-continue'], large],
    ['a body in chunks', ['-H', 'transfer-encoding: chunked'], small],
    ['a body in gzip', ['-H', 'content-encoding: gzip'], gzipSync(small)],
    ['an answer that may be compressed', ['--compressed'], small],
    ['HTTP/1.0', ['--http1.0'], small],
    ['an offer of HTTP/2', ['--http2'], small],
  ] as const)
    test(`${what}: all events come`, async (t) => {
      const { gateway } = await setUp(t);
      const events = eventsOf(await post(gateway.url, args, body));
      assert.equal(events.at(-1)?.['type'], 'response.completed');
    });

  test('gets 405 with -I, and ends with an error with -f where a turn is refused', async (t) => {
    const { gateway } = await setUp(t, { faults: [{ do: 'error status=429 code=rate_limit_exceeded' }] });
    assert.match(await run(curl ?? '', ['-sSI', `${gateway.url}/responses`]), /^HTTP\/1\.1 405 /);
    await assert.rejects(post(gateway.url, ['-f'], small), /429/);
  });
});

describe('gateway: Python', () => {
  const program = (file: string): string =>
    fileURLToPath(new URL(`../../../test/gateway/foreign/python/${file}`, import.meta.url));
  const loop =
    (interpreter: string | undefined, file: string, mode: string): Loop =>
    (url) =>
      run(interpreter ?? '', ['-B', program(file), url, mode]);

  for (const [row, mode] of [
    ['Python, `http.client`: JSON', 'json'],
    ['Python, `http.client`: an event stream, `store: false`', 'sse'],
  ] as const)
    test(title(row), { skip: python === undefined && 'python3 is not installed' }, (t) =>
      assertLoop(t, row, loop(python, 'http_client.py', mode)),
    );

  for (const [row, mode] of [
    ['Python, `websockets`: whole histories, `store: false`', 'history'],
    ['Python, `websockets`: by id, `store: false`', 'id'],
  ] as const)
    test(title(row), { skip: websockets === undefined && 'python3-websockets is not installed' }, (t) =>
      assertLoop(t, row, loop(websockets, 'websocket.py', mode)),
    );

  for (const [row, mode] of [
    ['Python, `aiohttp`: an event stream, `store: false`', 'sse'],
    ['Python, `aiohttp`: a WebSocket by id, `store: false`', 'id'],
  ] as const)
    test(title(row), { skip: aiohttp === undefined && 'python3-aiohttp is not installed' }, (t) =>
      assertLoop(t, row, loop(aiohttp, 'aiohttp_client.py', mode)),
    );

  for (const mode of ['history', 'id'])
    test(
      `websockets, ${mode}: does not notice chains and sockets that the upstream loses`,
      { skip: websockets === undefined && 'python3-websockets is not installed' },
      (t) => assertUndisturbed(t, loop(websockets, 'websocket.py', mode)),
    );
});
