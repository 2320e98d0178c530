import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Tool, ToolFailure } from '../../../dist/agent/tools/tool.js';
import { type Tools, toolsOf, type Toolsets } from '../tools/tools.js';
import { deviatingAnswer } from './servers/deviating-answer.js';
import { answerDeviations, toolDeviations } from './servers/deviations.js';
import { json, rawServer } from './servers/raw-server.js';

type Server = Omit<Extract<Toolsets[number], { type: 'mcp' }>, 'type'>;

const events = { 'content-type': 'text/event-stream' };

function event(data: string, name = 'message'): string {
  return `event: ${name}\n${data
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('')}\n`;
}

/** The server that commits every deviation, by each way there is to a server. */
const ways: Readonly<Record<string, (t: TestContext) => Promise<Server>>> = {
  stdio: () =>
    Promise.resolve({
      command: process.execPath,
      args: [fileURLToPath(new URL('./servers/deviating-server.js', import.meta.url))],
    }),

  'HTTP with JSON': async (t) => {
    const { url } = await rawServer(t, ({ request, response, message }) => {
      const answer = deviatingAnswer(message);
      if (request.method === 'GET') response.writeHead(405).end();
      else if (answer === undefined) response.writeHead(202).end();
      else json(response, answer);
    });
    return { remote: { url, transport_type: 'streamable' } };
  },

  'HTTP with events': async (t) => {
    const { url } = await rawServer(t, ({ request, response, message }) => {
      const answer = deviatingAnswer(message);
      if (request.method === 'GET') response.writeHead(405).end();
      else if (answer === undefined) response.writeHead(202).end();
      // The stream stays open behind the answer: nobody may wait for its end.
      else response.writeHead(200, events).write(`: hello\n\n${event('no message')}${event(answer)}`);
    });
    return { remote: { url, transport_type: 'streamable' } };
  },

  'legacy SSE': async (t) => {
    let stream: ServerResponse | undefined;
    const { url } = await rawServer(t, ({ request, response, message }) => {
      if (request.method === 'GET') {
        stream = response.writeHead(200, events);
        stream.write(event('/messages?session=1', 'endpoint'));
        return;
      }
      response.writeHead(202).end('Accepted');
      const answer = deviatingAnswer(message);
      if (answer !== undefined) stream?.write(event(answer));
    });
    return { remote: { url, transport_type: 'sse' } };
  },
};

function toolOf({ box }: Tools, name: string): Tool | undefined {
  return box.tools.find(({ alias }) => alias?.endsWith(`:${name}`));
}

for (const [way, start] of Object.entries(ways)) {
  test(`server that commits every deviation, over ${way}`, async (t) => {
    const warnings: string[] = [];
    const server = await start(t);
    const tools = await toolsOf(t, [{ type: 'mcp', ...server }], { warn: (message) => warnings.push(message) });

    await t.test('a tool without a name is left out, with a warning', () => {
      const nameless = warnings.filter((warning) => warning.includes('has no name and is left out'));
      assert.equal(nameless.length, 5);
    });

    await t.test('a tool that is listed twice is there once', () => {
      assert.equal(tools.box.tools.filter(({ name }) => name === 'good').length, 1);
    });

    for (const [name, { expected }] of Object.entries(toolDeviations)) {
      await t.test(`tool with ${name}`, async () => {
        const found = toolOf(tools, name);
        const warned = warnings.find((warning) => warning.includes(`its tool ${name} is left out`));
        if ('parameters' in expected) {
          assert.deepEqual(found?.parameters, expected.parameters);
          assert.equal(await tools.call(found?.name ?? ''), `${name} was called`);
          assert.equal(warned, undefined);
        } else {
          assert.equal(found, undefined);
          assert.match(warned ?? '', expected.warning);
        }
      });
    }

    for (const [name, { expected }] of Object.entries(answerDeviations)) {
      await t.test(`answer: ${name}`, async () => {
        const output = tools.output(toolOf(tools, name)?.name ?? '');
        if ('output' in expected) assert.deepEqual(await output, expected.output);
        else if ('failed' in expected)
          await assert.rejects(output, (error: ToolFailure) => {
            assert.deepEqual(error.output, expected.failed);
            return true;
          });
        else await assert.rejects(output, { message: expected.error });
      });
    }

    await t.test('calls after all of that are answered', async () => {
      assert.equal(await tools.call('good'), 'good was called');
    });
  });
}
