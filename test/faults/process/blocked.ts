// A program that begins turns in every way, blocks its own loop for longer than any of its limits, and tells what became of them: started by
// standstill.test.ts.
import { createClient } from '@turnwire/client';
import { createFetch } from '@turnwire/client/fetch';
import type { ClientOptions } from '@turnwire/client';

const [baseUrl = '', moment = '', limitMs = '', blockedMs = ''] = process.argv.slice(2);
const ms = Number(limitMs);
const apiKey = 'sk-test';
/** Turns that have come as far as the moment asks. */
let there = 0;
let expected = 0;

function isThere(): void {
  there += 1;
  if (there !== expected) return;
  const block = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(blockedMs));
  // The written bytes have left by now. Timers come right after immediates, before anything is read.
  setTimeout(() => setImmediate(block), 5);
}

function options(transport: 'websocket' | 'sse'): ClientOptions {
  return {
    transport,
    onWarning: false,
    recovery: { maxAttempts: 1 },
    // Ten seconds for what the moment is not about.
    timeouts: { dialMs: 10_000, firstEventMs: 10_000, idleMs: 10_000, queueMs: 10_000, [moment]: ms },
    pool: { maxConnections: moment === 'queueMs' ? 1 : 4, pingMs: Infinity },
    onEvent: ({ name }) => {
      if (name === (moment === 'idleMs' ? 'first-event' : 'send') && moment !== 'dialMs') isThere();
    },
  };
}

async function byClient(transport: 'websocket' | 'sse'): Promise<string> {
  const client = createClient({ apiKey, baseUrl, ...options(transport) });
  const turn = client.turn({ model: 'test', input: 'one' });
  if (moment === 'dialMs') isThere();
  const others = moment === 'queueMs' ? [client.turn({ model: 'test', input: 'two' })] : [];
  const texts = await Promise.all([turn, ...others].map((one) => one.text().catch(String)));
  await client.close();
  return texts.join();
}

async function byFetch(transport: 'websocket' | 'sse'): Promise<string> {
  const fetch = createFetch(options(transport));
  const ask = async (): Promise<string> => {
    const answer = await fetch(`${baseUrl}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ model: 'test', input: 'one', stream: true }),
    });
    return /"text":"(\w+)"/.exec(await answer.text())?.[1] ?? 'no text';
  };
  const first = ask();
  if (moment === 'dialMs') isThere();
  const texts = await Promise.all([first, ...(moment === 'queueMs' ? [ask()] : [])].map((one) => one.catch(String)));
  await fetch.close();
  return texts.join();
}

const ways = [() => byClient('websocket'), () => byFetch('websocket')];
// Only a WebSocket is waited for.
if (moment !== 'queueMs')
  ways.push(
    () => byClient('sse'),
    () => byFetch('sse'),
  );
expected = ways.length;
process.stdout.write(JSON.stringify(await Promise.all(ways.map((way) => way()))));
