import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { setImmediate as nextRound, setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { pageText } from '../../../dist/agent/tools/web/html/page-text.js';
import { readPage } from '../../../dist/agent/tools/web/html/read-page.js';

const options = { format: 'markdown', url: 'https://a.example/' } as const;
const never = new AbortController().signal;
const of = (part: string, length: number): string => part.repeat(Math.ceil(length / part.length));

/** A thread that does nothing, and says at its end for how long its event loop stood still, in milliseconds: so long did the machine keep it waiting. */
const idle = `
  const { monitorEventLoopDelay } = require('node:perf_hooks');
  const { parentPort } = require('node:worker_threads');
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  parentPort.once('message', () => parentPort.postMessage(delays.max / 1e6));
  parentPort.postMessage('ready');
`;

/** For how long this event loop, and one that has nothing to do, stood still while something was done. */
async function stillness(work: () => Promise<unknown>): Promise<{ here: number; idle: number }> {
  const control = new Worker(idle, { eval: true });
  const message = () => new Promise<unknown>((resolve) => control.once('message', resolve));
  await message();
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  await work();
  delays.disable();
  const answer = message();
  control.postMessage('end');
  const waited = (await answer) as number;
  await control.terminate();
  return { here: delays.max / 1e6, idle: waited };
}

describe('pages: the event loop', () => {
  // Those whose text takes longest to be put together.
  for (const part of ['<table><tr><td>x', '<td>x']) {
    test(`answers within 100 ms while 2 MiB of ${part} are read`, { timeout: 120_000 }, async () => {
      const html = `<table><tr>${of(part, 2 * 1024 * 1024)}`;
      const seen: string[] = [];
      // On a busy machine an idle thread waits, too; not always the same one.
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const { here, idle } = await stillness(() => readPage(html, { ...options, signal: never }));
        if (here <= 100 + idle) return;
        seen.push(`${here.toFixed(0)} ms, and ${idle.toFixed(0)} ms of a thread that does nothing`);
      }
      assert.fail(`it stood still for ${seen.join('; ')}`);
    });
  }

  test('is measured as blocked while this thread itself reads', async () => {
    const html = of('<a href=/x>y', 2 * 1024 * 1024);
    // By a time longer than any that this asserts: 300 ms of work, whatever the machine does.
    const { here } = await stillness(async () => {
      await delay(20);
      for (const began = performance.now(); performance.now() - began < 300;) pageText(html.slice(0, 8192), options);
      await delay(20);
    });
    assert.ok(here > 250, `${here} ms`);
  });
});

describe('pages: long and short ones', () => {
  test('have the same text, whether they are read in a thread or not', async () => {
    for (const length of [1000, 200_000]) {
      const html = of('<p>A <b>word</b> &amp; <a href="/x">a link</a></p>', length);
      assert.equal(await readPage(html, { ...options, signal: never }), pageText(html, options));
    }
  });

  test('stop being read when the run ends', async () => {
    const leaving = new AbortController();
    const work = readPage(of('<p>x', 2_000_000), { ...options, signal: leaving.signal });
    await nextRound();
    leaving.abort(new Error('left'));
    await assert.rejects(work, /left/);
    await assert.rejects(readPage('<p>x', { ...options, signal: leaving.signal }), /left/);
  });
});
