// One endpoint for clients in any language: a client that sends its whole history each time, and knows nothing of WebSockets.
// Here it is the openai SDK over plain HTTP; Codex, opencode, Python or curl would do the same.
import { startGateway } from '@turnwire/gateway';
import OpenAI from 'openai';
import { startEmulator } from 'turnwire/emulator';

const upstream = await startEmulator({ script: { turns: [{ text: 'It rains.' }, { text: 'Take an umbrella.' }] } });
const gateway = await startGateway({ config: { listen: { port: 0 }, upstream: { base_url: upstream.url } } });
const openai = new OpenAI({ apiKey: 'any', baseURL: gateway.url });

const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'What is the weather in Oslo?' }];
const first = await openai.responses.create({ model: 'gpt-5.4', input });
input.push(...(first.output as typeof input), { role: 'user', content: 'What shall I take along?' });
const second = await openai.responses.create({ model: 'gpt-5.4', input });

console.log(second.output_text);
for (const { transport, plan, bytes } of upstream.journal.turns()) console.log(`${transport}, ${plan}: ${bytes} bytes`);
await gateway.close();
await upstream.close();
