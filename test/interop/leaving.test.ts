// Every SDK: an answer that is left in its middle reaches the server as an abort, and the next turn of the same client is right. And a turn that
// could not be sent is tried again as often as each SDK does with the ordinary fetch.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { startEmulator } from 'turnwire/emulator';
import { type Fetch, sdks, textOf } from './sdks.js';
import type { AddressInfo } from 'node:net';

describe('SDKs: answers that are abandoned', () => {
  for (const [name, open] of Object.entries(sdks)) {
    for (const transport of ['websocket', 'sse'] as const) {
      for (const how of ['aborted', 'left by a break'] as const) {
        // Its streams are branches of one: a break leaves the others, over every fetch.
        if (name === 'AI SDK' && how === 'left by a break') continue;
        test(`X15, ${name}, ${transport}: an answer is ${how}, and the next turn is right`, async (t) => {
          // The first turn says two words and is then silent; it cannot end but by being left.
          const faults = [{ on: { times: 1 }, do: 'stall after=6' }];
          const emulator = await startEmulator({ faults });
          const fetch = createFetch({ transport });
          t.after(async () => {
            fetch.destroy();
            await emulator.close();
          });
          const ask = open(emulator.url, fetch);
          const controller = new AbortController();
          const leave = async (): Promise<void> => {
            for await (const piece of ask(['One two three four.'], how === 'aborted' ? controller.signal : undefined)) {
              if (piece === '') continue;
              if (how === 'left by a break') break;
              controller.abort(new Error('enough'));
            }
          };
          if (how === 'aborted') await assert.rejects(leave());
          else await leave();
          assert.equal(await textOf(ask(['Right.'])), 'Right.');
          while (emulator.journal.turns()[0]?.outcome === 'running') await new Promise(setImmediate);
          assert.deepEqual(
            emulator.journal.turns().map(({ outcome }) => outcome),
            ['aborted', 'completed'],
          );
          assert.equal(fetch.stats().busy, 0);
        });
      }
    }

    test(`${name}: an unsent request is retried as often as with the ordinary fetch`, async (t) => {
      // An address where nobody listens: it was given out, and given back.
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      const fetch = createFetch({ onWarning: false, recovery: { maxAttempts: 1 } });
      t.after(() => fetch.destroy());
      const callsOf = async (carry: Fetch): Promise<number> => {
        let calls = 0;
        const counting: Fetch = (...args) => {
          calls += 1;
          return carry(...args);
        };
        await assert.rejects(textOf(open(`http://127.0.0.1:${port}/v1`, counting)(['Hi.'])));
        return calls;
      };
      assert.equal(await callsOf(fetch), await callsOf(globalThis.fetch));
    });
  }
});
