import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmulator } from '../../dist/index.js';
import { RawSocket, terminal, waitFor } from '../wire.js';

/** The number of conversations; `npm run bench:emulator` measures a thousand, in the row `chains`. */
const CONVERSATIONS = 200;
const TURNS = 3;

test('200 concurrent conversations are all answered, each from its own context, within the limits of the memory', async (t) => {
  const emulator = await startEmulator();
  t.after(() => emulator.close());
  const sockets: RawSocket[] = [];
  // Connections are opened in groups, because the queue of a listening socket is short.
  while (sockets.length < CONVERSATIONS) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => RawSocket.open(emulator.url)))));
  }
  await Promise.all(
    sockets.map(async (socket, n) => {
      let previous_response_id: unknown;
      for (let turn = 1; turn <= TURNS; turn += 1) {
        const said = `conversation ${n}, turn ${turn}`;
        const { response } = terminal(
          await socket.ask({ model: 'm', input: said, store: false, previous_response_id }),
        );
        assert.equal(response.output[0].content[0].text, said);
        previous_response_id = response.id;
      }
    }),
  );

  const full = emulator.state();
  assert.deepEqual([full.webSockets, full.runningTurns, full.queuedTurns], [CONVERSATIONS, 0, 0]);
  assert.equal(full.responses, CONVERSATIONS * TURNS);
  // One turn is about 2 KB of JSON.
  assert.ok(full.responseBytes < CONVERSATIONS * TURNS * 4096, `${full.responseBytes} bytes`);
  assert.ok(emulator.journal.turns().length <= 10_000);

  for (const socket of sockets) socket.close();
  await waitFor(() => emulator.state().webSockets === 0 && emulator.state().connections === 0);
  const { responses, responseBytes } = emulator.state();
  assert.deepEqual([responses, responseBytes], [0, 0]);
});

test('stored responses and their bytes stay within their limits', async (t) => {
  const limits = { storedResponses: 50, storedBytes: 100_000 };
  const emulator = await startEmulator({ limits });
  t.after(() => emulator.close());
  const socket = await RawSocket.open(emulator.url);
  for (let n = 0; n < 200; n += 1) {
    await socket.ask({ model: 'm', input: `${n} ${'x'.repeat(n * 10)}` });
    const { responses, responseBytes } = emulator.state();
    assert.ok(
      responses <= limits.storedResponses && responseBytes <= limits.storedBytes,
      JSON.stringify(emulator.state()),
    );
  }
});

test('the journal limits its bytes, with the answers and the transcript of each turn of a long chain', async (t) => {
  const limits = { journalBytes: 40_000 };
  const emulator = await startEmulator({ limits, script: { turns: [{ text: 'Yes.' }], after: 'repeat' } });
  t.after(() => emulator.close());
  const socket = await RawSocket.open(emulator.url);
  let previous_response_id: unknown;
  for (let n = 0; n < 120; n += 1) {
    previous_response_id = terminal(await socket.ask({ model: 'm', input: 'a', previous_response_id })).response.id;
  }
  const turns = emulator.journal.turns();
  assert.equal(turns.at(-1)?.transcript.length, 239);
  const held = turns.map(
    ({ bytes, transcript, output }) => bytes + transcript.length * 8 + Buffer.byteLength(JSON.stringify(output)),
  );
  assert.ok(
    held.reduce((sum, each) => sum + each, 0) <= limits.journalBytes,
    `${held.length} turns hold ${held.reduce((sum, each) => sum + each, 0)} bytes`,
  );
  assert.ok(turns.length > 10);
});
