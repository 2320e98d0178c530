import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { elicit } from '../../../dist/agent/tools/mcp/elicitation.js';
import { lifecycleSchema } from '../../../dist/config/schema/lifecycle.js';
import { toolsOf } from '../tools/tools.js';
import { answerCommon, json, rawServer, type Sent } from './servers/raw-server.js';
import { remoteServer } from './servers/sdk-server.js';

const program = fileURLToPath(new URL('./servers/sdk-server-command.js', import.meta.url));

/** A user who types these lines, and what was put to them. */
function user(...lines: (string | undefined)[]) {
  const asked: string[] = [];
  const askUser = (question: string): Promise<string | undefined> => {
    asked.push(question);
    return Promise.resolve(lines.shift());
  };
  return { asked, askUser };
}

const good = ['y', 'Rome', '2', '3', '', ''];
const content = { city: 'Rome', class: '2', nights: 3, breakfast: true };

describe('elicitation, by servers made with the SDK', () => {
  test('a form over standard input and output, streamable HTTP and SSE: the typed values reach the server', async (t) => {
    const servers = [
      { command: process.execPath, args: [program] },
      { remote: { url: (await remoteServer(t, 'streamable')).url, transport_type: 'streamable' as const } },
      { remote: { url: (await remoteServer(t, 'sse')).url, transport_type: 'sse' as const } },
    ];
    for (const server of servers) {
      const { asked, askUser } = user(...good);
      const { call } = await toolsOf(t, [{ type: 'mcp', name: 'travel', ...server }], { askUser });
      assert.deepEqual(JSON.parse(await call('travel_ask')), { action: 'accept', content });
      assert.match(asked[0] ?? '', /^The MCP server travel asks: Where to\?\nIt wants to know:\n {2}City\n {2}class/);
      assert.match(asked[2] ?? '', /^class\n {2}1\. first\n {2}2\. second$/);
    }
  });

  test('a no is a decline, and the end of the input a cancel', async (t) => {
    for (const [lines, action] of [
      [['n'], 'decline'],
      [[undefined], 'cancel'],
      [['y', 'Rome', undefined], 'cancel'],
    ] as const) {
      const { askUser } = user(...lines);
      const { call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program] }], { askUser });
      assert.equal((JSON.parse(await call('ask')) as { action: string }).action, action);
    }
  });

  test('a server is told that there is no user, where none can be asked', async (t) => {
    const { call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program] }]);
    await assert.rejects(call('ask'), /does not support.*elicitation/i);
  });

  test('a question ends with the run', async (t) => {
    const controller = new AbortController();
    let over = (): void => undefined;
    const ended = new Promise<void>((resolve) => (over = resolve));
    const askUser = async (_question: string, { signal }: { signal: AbortSignal }): Promise<undefined> => {
      controller.abort(new Error('left'));
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      over();
    };
    const { call } = await toolsOf(t, [{ type: 'mcp', command: process.execPath, args: [program] }], { askUser });
    await assert.rejects(call('ask', {}, controller.signal), /left/);
    await ended;
  });
});

describe('elicitation: typed values', () => {
  const never = new AbortController().signal;
  const form = (properties: object, ...lines: (string | undefined)[]) => {
    const { asked, askUser } = user('y', ...lines);
    const required = Object.keys(properties);
    const schema = { type: 'object', properties, required };
    return elicit('s', { message: 'm', requestedSchema: schema }, askUser, never).then((result) => ({ result, asked }));
  };
  const table: readonly (readonly [object, wrong: readonly string[], right: string, unknown])[] = [
    [{ type: 'string', minLength: 2, maxLength: 3 }, ['a', 'abcd', ''], 'ab', 'ab'],
    [{ type: 'string', format: 'email' }, ['nobody'], 'a@b.example', 'a@b.example'],
    [{ type: 'string', format: 'date' }, ['2026-13-01', 'soon'], '2026-01-02', '2026-01-02'],
    [{ type: 'integer', minimum: 1, maximum: 9 }, ['0', '10', '1.5', '0x2', 'two'], '2', 2],
    [{ type: 'number' }, ['', 'NaN', 'Infinity'], '-1.5', -1.5],
    [{ type: 'boolean' }, ['perhaps', ''], 'n', false],
    [{ type: 'string', enum: ['a', 'b'] }, ['c', '3', '0'], '2', 'b'],
    [{ type: 'string', oneOf: [{ const: 'x', title: 'The x' }] }, ['y'], 'The x', 'x'],
    [{ type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 2 }, ['a', 'a, z'], '1, c', ['a', 'c']],
  ];
  for (const [property, wrong, right, value] of table) {
    test(`${JSON.stringify(property)}: asked for again until the value fits`, async () => {
      for (const each of wrong) {
        const { result, asked } = await form({ f: property }, each, right);
        assert.deepEqual(result, { action: 'accept', content: { f: value } }, each);
        assert.match(asked.at(-1) ?? '', /^That does not fit: /);
      }
    });
  }

  test('a form is cancelled after five wrong values', async () => {
    const { result } = await form({ f: { type: 'integer' } }, 'a', 'b', 'c', 'd', 'e', '1');
    assert.deepEqual(result, { action: 'cancel' });
  });

  test('an answer other than yes or no to the form is no answer', async () => {
    const { asked, askUser } = user('sure', '', 'n');
    assert.deepEqual(await elicit('s', { message: 'm' }, askUser, never), { action: 'decline' });
    assert.equal(asked.length, 3);
  });

  test('another mode than a form is refused', async () => {
    const { askUser } = user('y');
    await assert.rejects(
      elicit('s', { message: 'm', mode: 'url', url: 'https://a.example' }, askUser, never),
      /"url" is not supported/,
    );
  });
});

describe('elicitation: the clock of the call', () => {
  test('the time limit of a call stands still while the user is asked', async (t) => {
    const answers: Sent[] = [];
    let finish = (): void => undefined;
    const server = await rawServer(t, (exchange) => {
      const { message, response } = exchange;
      if (message.method === 'tools/call') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const event = (value: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...value })}\n\n`);
        event({ id: 'q', method: 'elicitation/create', params: { message: 'Well?' } });
        finish = () => {
          event({ id: message.id, result: { content: [{ type: 'text', text: 'done' }] } });
          response.end();
        };
      } else if (message.method === undefined && 'result' in message) {
        answers.push(message);
        response.writeHead(202).end();
        finish();
      } else if (exchange.request.method === 'GET') response.writeHead(405).end();
      else if (message.method?.startsWith('notifications/') === true) response.writeHead(202).end();
      else if (answerCommon(exchange) === undefined) json(response, '{}');
    });
    // The user takes longer than a call may.
    const askUser = async (): Promise<string> => {
      await delay(1500);
      return 'y';
    };
    const remote = { url: server.url, transport_type: 'streamable' as const };
    const lifecycle = lifecycleSchema.parse({ call_timeout: '1s' });
    const { call } = await toolsOf(t, [{ type: 'mcp', remote, lifecycle }], { askUser });
    assert.equal(await call('t'), 'done');
    assert.equal(answers.length, 1);
  });
});
