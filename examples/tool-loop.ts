// An agent loop by hand: the model calls a tool, the program answers, until the model has nothing more to ask. It hands over the whole
// history each time; over a WebSocket only what is new is sent.
//
//   node examples/tool-loop.ts       (keys and addresses as in first-turn.ts)
import { createClient } from '@turnwire/client';
import type { InputItem } from '@turnwire/client';

const tools = [
  {
    type: 'function',
    name: 'file_count',
    description: 'Counts the files of a folder.',
    parameters: { type: 'object', properties: { folder: { type: 'string' } }, required: ['folder'] },
  },
];
const fileCounts: Record<string, number> = { src: 38, test: 41 };

const client = createClient({ onWarning: (message) => console.error(message) });
const input: InputItem[] = [{ role: 'user', content: 'How many files are in src and in test?' }];

for (let turns = 1; turns <= 10; turns += 1) {
  const turn = client.turn({
    model: process.env['OPENAI_MODEL'] ?? 'gpt-5.4',
    instructions: 'Use the tool for every folder you are asked about.',
    tools,
    input,
  });
  const response = await turn.response();
  input.push(...response.output);
  const known = input.length;
  for (const item of response.output) {
    if (item.type !== 'function_call') continue;
    const { folder } = JSON.parse(item.arguments) as { folder: string };
    input.push({ type: 'function_call_output', call_id: item.call_id, output: String(fileCounts[folder] ?? 0) });
  }
  if (input.length === known) {
    console.log(await turn.text());
    break;
  }
}
console.log(`connections dialled: ${client.stats.dialled}`);
