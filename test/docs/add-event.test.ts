// "How to add an event" of CONTRIBUTING.md, followed to the letter in a copy of the packages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, copyOf, follow, load, stepsOf } from './recipe.js';
import type * as client from '@turnwire/client';
import type * as clientFetch from '@turnwire/client/fetch';
import type * as emulator from 'turnwire/emulator';

test('how to add an event: after its steps the event is known, typed, sent, and read over both transports', async (t) => {
  const folder = copyOf(t, ['client', 'emulator'], ['src', 'package.json', 'tsconfig.json']);

  const [type, member, row, ...rest] = stepsOf('How to add an event');
  assert(type && member && row && rest.length === 1);
  follow(folder, type);
  follow(folder, member);
  // Who forgets the table is told by the compiler.
  assert.match(compile(folder, 'client', '--noEmit'), /event-types\.ts.*'"response\.paused"'/);
  for (const step of [row, ...rest]) follow(folder, step);
  for (const name of ['client', 'emulator']) assert.equal(compile(folder, name), '');

  const { createClient } = (await load(folder, 'client/dist/index.js')) as typeof client;
  const { createFetch } = (await load(folder, 'client/dist/fetch/index.js')) as typeof clientFetch;
  const { startEmulator } = (await load(folder, 'emulator/dist/index.js')) as typeof emulator;
  const server = await startEmulator({});
  t.after(() => server.close());
  for (const transport of ['websocket', 'sse'] as const) {
    const one = createClient({ baseUrl: server.url, apiKey: 'none', transport });
    const turn = one.turn({ model: 'any', input: 'hi' });
    const phases = new Map<string, string>();
    for await (const event of turn) if (!phases.has(event.type)) phases.set(event.type, turn.report.phase);
    assert.deepEqual([...phases.keys()].slice(0, 3), ['response.created', 'response.in_progress', 'response.paused']);
    assert.notEqual(await turn.text(), '');
    await one.close();

    await using fetch = createFetch({ transport, onWarning: false });
    const answer = await fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify({ model: 'any', input: 'hi', stream: true }),
    });
    assert.match(await answer.text(), /event: response\.paused\ndata: .*"reason":"an example"/);
  }

  // The row is what the engine goes by.
  const { traitsOf } = (await load(folder, 'client/dist/protocol/event-types.js')) as {
    traitsOf: (type: string) => object;
  };
  assert.deepEqual(traitsOf('response.paused'), { inspected: true });
  assert.deepEqual(traitsOf('response.not_added'), { visible: true });
});
