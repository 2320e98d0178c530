// Loops of nine turns with an `openai` package: `node openai-loop.js BASE_URL FOLDER NAME`. Prints what the last turn of each loop said, as JSON.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type OpenAI from 'openai';

const [baseURL = '', folder = '', name = ''] = process.argv.slice(2);
const load = createRequire(join(folder, 'package.json'));
const sdk = load(name) as { OpenAI: typeof OpenAI };
const client = new sdk.OpenAI({ baseURL, apiKey: 'any', maxRetries: 0 });
const model = 'gpt-5.4';
const turns = Array.from({ length: 9 }, (_, turn) => `turn ${turn}`);

async function byId(): Promise<string> {
  let last: OpenAI.Responses.Response | undefined;
  for (const input of turns)
    last = await client.responses.create({ model, input, ...(last && { previous_response_id: last.id }) });
  return last?.output_text ?? '';
}

async function streamed(): Promise<string> {
  let last: OpenAI.Responses.Response | undefined;
  for (const input of turns) {
    const stream = client.responses.stream({ model, input, ...(last && { previous_response_id: last.id }) });
    last = await stream.finalResponse();
  }
  return last?.output_text ?? '';
}

async function whole(store: boolean): Promise<string> {
  const history: OpenAI.Responses.ResponseInput = [];
  let said = '';
  for (const content of turns) {
    history.push({ role: 'user', content });
    const response = await client.responses.create({ model, store, input: history });
    history.push(...(response.output as OpenAI.Responses.ResponseInput));
    said = response.output_text;
  }
  return said;
}

const said = { byId: await byId(), streamed: await streamed(), whole: await whole(true), unstored: await whole(false) };
console.log(JSON.stringify(said));
