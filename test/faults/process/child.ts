// A program that uses the client as its reader would: started by process.test.ts with what to do as its arguments.
import { createClient } from '@turnwire/client';

const [what = '', baseUrl = '', transport = ''] = process.argv.slice(2);
const client = createClient({
  baseUrl,
  transport: what === 'callback' ? 'auto' : transport === 'sse' ? 'sse' : 'websocket',
  apiKey: what === 'key' ? () => new Promise<string>(() => {}) : 'sk-test',
  onWarning: () => {
    throw new Error('mine');
  },
  timeouts: { dialMs: 400, unreadMs: 400 },
  pool: { maxConnections: 1 },
  recovery: { refusals: 'surface' },
});
const question = { model: 'test', input: 'hi' };

/** What is left to say when the process ends by itself; a promise that nothing settles any more says nothing. */
async function run(): Promise<string> {
  switch (what) {
    case 'one turn':
    case 'slow turn':
      return client.turn(question).text();
    case 'two at once':
      return (await Promise.all([client.turn(question).text(), client.turn(question).text()])).join();
    case 'key':
      return client.turn(question).text();
    case 'unread': {
      const turn = client.turn(question);
      const events = turn[Symbol.asyncIterator]();
      await events.next();
      // Nobody asks for more: the turn fills up, and its connection is taken back.
      return turn.response().then(String);
    }
    case 'callback':
      process.on('uncaughtException', (error) => process.stdout.write(`${error.message},`));
      return client.turn(question).text();
    case 'refused':
      return client.turn(question).text();
    default:
      throw new Error(`unknown: ${what}`);
  }
}

run().then(
  (text) => process.stdout.write(text),
  (error: { code?: string }) => process.stdout.write(String(error.code)),
);
