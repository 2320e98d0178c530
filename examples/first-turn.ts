// One turn, event by event.
//
//   export OPENAI_API_KEY=…          (or: turnwire emulate, and the two exports that it prints)
//   node examples/first-turn.ts      (Node 22.18 or newer runs TypeScript as it is)
import { createClient } from '@turnwire/client';

const client = createClient();
const turn = client.turn({ model: process.env['OPENAI_MODEL'] ?? 'gpt-5.4', input: 'Say hello in one sentence.' });

for await (const event of turn) {
  if (event.type === 'response.output_text.delta') process.stdout.write(event.delta);
}

const response = await turn.response();
const { transport, sentBytes, firstEventMs } = turn.report;
console.log(
  `\n${response.status} over ${transport}: ${sentBytes} bytes sent, first event after ${firstEventMs?.toFixed(0)} ms`,
);
