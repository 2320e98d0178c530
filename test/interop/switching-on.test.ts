// The lines of docs/fetch.md that switch it on, each run as it stands there: its SDK asks once, and the turn goes over a WebSocket to the address that
// the SDK has by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createAzure } from '@ai-sdk/azure';
import { createOpenAI } from '@ai-sdk/openai';
import { createXai } from '@ai-sdk/xai';
import { ChatOpenAI } from '@langchain/openai';
import { Agent, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import { createFetch } from '@turnwire/client/fetch';
import { generateText } from 'ai';
import OpenAI, { AzureOpenAI } from 'openai';
import { startEmulator } from 'turnwire/emulator';
import type { LanguageModel } from 'ai';

/** Keys and addresses, as each SDK finds them. */
const environment = {
  OPENAI_API_KEY: 'sk-of-a-test',
  AZURE_OPENAI_API_KEY: 'key-of-a-test',
  AZURE_OPENAI_ENDPOINT: 'https://a-resource.openai.azure.com',
  OPENAI_API_VERSION: 'preview',
  AZURE_API_KEY: 'key-of-a-test',
  AZURE_RESOURCE_NAME: 'a-resource',
  XAI_API_KEY: 'xai-of-a-test',
};

type Model = (name: string) => LanguageModel;

const aiSdk = async (provider: Model): Promise<string> =>
  (await generateText({ model: provider('a-model'), prompt: 'Say it.' })).text;
const openai = async (client: OpenAI): Promise<string> =>
  (await client.responses.create({ model: 'a-model', input: 'Say it.' })).output_text;

/** What is done with what the line makes, and the host that is asked then. */
const uses: Readonly<Record<string, { host: string; ask: (made: never) => Promise<string> }>> = {
  '`openai`': { host: 'api.openai.com', ask: openai },
  '`openai`, Azure': { host: 'a-resource.openai.azure.com', ask: openai },
  'AI SDK': { host: 'api.openai.com', ask: aiSdk },
  'AI SDK, Azure': { host: 'a-resource.openai.azure.com', ask: aiSdk },
  'AI SDK, xAI': { host: 'api.x.ai', ask: aiSdk },
  'Agents SDK': {
    host: 'api.openai.com',
    ask: async () => {
      setTracingDisabled(true);
      return String((await run(new Agent({ name: 'a', model: 'a-model' }), 'Say it.')).finalOutput);
    },
  },
  LangChain: { host: 'api.openai.com', ask: async (model: ChatOpenAI) => (await model.invoke('Say it.')).text },
};

const page = readFileSync(new URL('../../docs/fetch.md', import.meta.url), 'utf8');
const [, table = ''] = page.split('| SDK | the one option |\n| --- | --- |\n');
const lines = table.slice(0, table.indexOf('\n\n')).split('\n');

describe('docs/fetch.md: switching on', () => {
  test('the page has a line for each tested use, and no others', () => {
    assert.deepEqual(
      lines.map((line) => line.split(' | ')[0]?.slice(2)),
      Object.keys(uses),
    );
  });

  for (const line of lines) {
    const [, name = '', code = ''] = /^\| (.*) \| `(.*)` \|$/.exec(line) ?? [];
    test(`${name}: ${code}`, async (t) => {
      const use = uses[name];
      assert(use !== undefined);
      Object.assign(process.env, environment);
      const emulator = await startEmulator({ script: { turns: [{ text: 'Said.' }] } });
      const fetch = createFetch();
      t.after(async () => {
        await fetch.close();
        await emulator.close();
      });
      const hosts: string[] = [];
      // What the line makes asks the service; here, that is the emulator.
      const here = (): typeof globalThis.fetch => (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        hosts.push(url.host);
        return fetch(`${emulator.url}/responses${url.search}`, init);
      };
      const scope = {
        AzureOpenAI,
        ChatOpenAI,
        OpenAI,
        createAzure,
        createFetch: here,
        createOpenAI,
        createXai,
        setDefaultOpenAIClient,
      };
      // oxlint-disable-next-line typescript/no-implied-eval -- the page is run as it stands
      const make = new Function(...Object.keys(scope), `return ${code};`) as (...values: unknown[]) => never;
      assert.equal(await use.ask(make(...Object.values(scope))), 'Said.');
      assert.deepEqual(hosts, [use.host]);
      assert.equal(emulator.journal.turns()[0]?.transport, 'websocket');
    });
  }
});
