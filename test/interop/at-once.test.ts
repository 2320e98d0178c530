// Every SDK: 64 conversations at once through one client of it, a part of their turns aborted in the middle. What one is told is said in no other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFetch } from '@turnwire/client/fetch';
import { startEmulator } from 'turnwire/emulator';
import { sdks, textOf } from './sdks.js';

const conversations = 64;
const turns = 3;

/** Which turns are aborted, and after how many pieces of text: as good as random, and each time the same. */
const isAborted = (number: number, turn: number): boolean => (number + turn) % 4 === 3;
const piecesOf = (number: number, turn: number): number => 1 + ((number * 7 + turn * 3) % 5);

describe('SDKs: conversations at once', () => {
  for (const [name, open] of Object.entries(sdks)) {
    test(`X14, ${name}: ${conversations} conversations at once, some of them aborted: every answer is right`, async (t) => {
      const emulator = await startEmulator({ latency: { tokensPerSecond: 500, jitter: 0.5 } });
      const fetch = createFetch({ transport: 'websocket' });
      t.after(async () => {
        fetch.destroy();
        await emulator.close();
      });
      const ask = open(emulator.url, fetch);
      const leave = async (said: readonly string[], pieces: number): Promise<void> => {
        const controller = new AbortController();
        let seen = 0;
        for await (const piece of ask(said, controller.signal)) {
          seen += piece === '' ? 0 : 1;
          if (seen === pieces) controller.abort(new Error('enough'));
        }
      };
      const converse = async (number: number): Promise<string[]> => {
        const said: string[] = [];
        const answers: string[] = [];
        for (let turn = 0; turn < turns; turn += 1) {
          const words = `Conversation ${number} says ${turn}, and goes on for quite a while after that.`;
          if (isAborted(number, turn)) {
            await assert.rejects(leave([...said, words], piecesOf(number, turn)));
            continue;
          }
          const answer = await textOf(ask([...said, words]));
          answers.push(answer === words ? 'right' : `${answer} instead of ${words}`);
          said.push(words, answer);
        }
        return answers;
      };
      const answers = (
        await Promise.all(Array.from({ length: conversations }, (_, number) => converse(number)))
      ).flat();
      assert.equal(answers.length, conversations * turns - 48);
      assert.deepEqual(new Set(answers), new Set(['right']));
      while (fetch.stats().busy > 0) await new Promise(setImmediate);
      const { turns: asked, deltas } = fetch.stats();
      assert.equal(asked, conversations * turns);
      assert(deltas > 0, 'no turn was a delta');
      const outcomes = emulator.journal.turns().map(({ outcome }) => outcome);
      // Each turn ran once, and no aborted one again.
      assert.equal(outcomes.length, conversations * turns);
      assert(outcomes.filter((outcome) => outcome === 'completed').length >= answers.length);
    });
  }
});
