// A program that asks once, is stopped, and asks again as soon as it goes on: started by standstill.test.ts.
import type { InputItem } from '@turnwire/client';
import { quickClient } from '../quick-client.js';

const [baseUrl = ''] = process.argv.slice(2);
const client = quickClient({ apiKey: 'sk-test', baseUrl, transport: 'websocket' });
const input: InputItem[] = [{ role: 'user', content: 'one' }];

const first = await client.turn({ model: 'test', input, store: false }).response();

async function askAgain(): Promise<void> {
  const history: InputItem[] = [...input, ...first.output, { role: 'user', content: 'two' }];
  const turn = client.turn({ model: 'test', input: history, store: false });
  await turn.text();
  process.stdout.write(JSON.stringify([turn.report.plan, turn.report.attempts.length]));
  client.destroy();
  process.stdin.destroy();
}

process.once('SIGCONT', () => void askAgain());
// Signals alone do not keep a process alive.
process.stdin.resume();
process.stdout.write('ready\n');
