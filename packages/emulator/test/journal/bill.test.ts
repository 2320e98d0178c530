import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmulator } from '../../dist/index.js';
import { post, postJson, RawSocket, terminal } from '../wire.js';

test('the journal has the response or conversation that each turn continues, and where it was found (P70, P71)', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const stored = await postJson(emulator.url, { model: 'm', input: 'one' });
  await postJson(emulator.url, { model: 'm', input: 'two', previous_response_id: stored['id'] });
  const socket = await RawSocket.open(emulator.url);
  const third = terminal(await socket.ask({ model: 'm', input: 'three', previous_response_id: stored['id'] }));
  const { id } = third['response'];
  await socket.ask({ model: 'm', input: 'four', store: false, previous_response_id: id });
  await socket.ask({ model: 'm', input: 'five', previous_response_id: 'resp_none' });
  socket.close();
  assert.deepEqual(
    emulator.journal.turns().map(({ parent }) => parent),
    [
      undefined,
      { id: stored['id'], from: 'store' },
      { id: stored['id'], from: 'store' },
      { id, from: 'connection' },
      undefined,
    ],
  );
});

test('the bill adds up the usage of the responses, for all models and for each (M1 to M3)', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const usages = [
    (await postJson(emulator.url, { model: 'a', input: 'one' }))['usage'],
    (await postJson(emulator.url, { model: 'a', input: 'one' }))['usage'],
    (await postJson(emulator.url, { model: 'b', input: 'two' }))['usage'],
  ];
  await post(emulator.url, { model: 'b', input: 5 });
  await post(emulator.url, 'no json');
  const sum = (field: string, of = usages) => of.reduce((total, usage) => total + usage[field], 0);
  const cached = usages.reduce((total, usage) => total + usage['input_tokens_details']['cached_tokens'], 0);
  assert.ok(cached > 0);
  const bill = emulator.journal.bill();
  assert.deepEqual(
    [bill.inputTokens, bill.cachedTokens, bill.outputTokens, bill.turns],
    [sum('input_tokens'), cached, sum('output_tokens'), 5],
  );
  assert.deepEqual(bill.outcomes, { completed: 3, refused: 2 });
  assert.deepEqual(Object.keys(bill.models).toSorted(), ['', 'a', 'b']);
  assert.equal(bill.models['a']?.inputTokens, sum('input_tokens', usages.slice(0, 2)));
  assert.deepEqual(bill.models['b']?.outcomes, { completed: 1, refused: 1 });
});

test('the bill includes a turn whose client did not read its end', { timeout: 20_000 }, async (t) => {
  const emulator = await startEmulator({ faults: [{ do: 'drop' }] });
  t.after(() => emulator.close());
  await (await post(emulator.url, { model: 'm', input: 'one', stream: true })).text();
  assert.ok(emulator.journal.bill().outputTokens > 0);

  const broken = await startEmulator({ faults: [{ do: 'end after=1' }] });
  t.after(() => broken.close());
  const socket = await RawSocket.open(broken.url);
  socket.create({ model: 'm', input: 'one' });
  await socket.closed;
  while (broken.journal.turns()[0]?.outcome === 'running') await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(broken.journal.bill().outcomes, { aborted: 1 });
  assert.equal(broken.journal.bill().outputTokens, 0);
});
