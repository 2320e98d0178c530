// A conversation keeps its own history: each turn is given what is new.
//
//   node examples/conversation.ts       (keys and addresses as in first-turn.ts)
import { createClient } from '@turnwire/client';

const client = createClient({ onWarning: (message) => console.error(message) });
const chat = client.conversation({ model: process.env['OPENAI_MODEL'] ?? 'gpt-5.4' });
for (const input of ['My name is Ada.', 'What is my name?']) {
  const turn = chat.turn({ input });
  console.log(await turn.text());
  console.log(`sent: ${turn.report.plan}`);
}
