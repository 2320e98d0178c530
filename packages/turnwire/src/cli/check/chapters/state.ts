import { part } from '../../probe/turn.js';
import { responseOf } from '../probe.js';
import { expect, NotApplicable } from '../deviation.js';
import { calledIn, forcedCall } from './events.js';
import { expectRefusal } from '../expectations/error-envelope.js';
import { expectCode, expectErrorFrame } from '../expectations/error-frame.js';
import type { Json } from '../../probe/turn.js';
import type { Probe } from '../probe.js';
import type { Rule } from '../rule.js';

const notFound = 'previous_response_not_found';
const followUp = 'Say it once more.';
/** The id of no response, as long as a real one. */
const unknownId = `resp_${'0'.repeat(40)}75726e77697265`;

export const state: readonly Rule[] = [
  {
    id: 'state/unknown-id-http',
    title: 'refuses an unknown previous_response_id over HTTP with previous_response_not_found',
    certainty: 'documented',
    protocol: ['P71', 'P98'],
    turns: 1,
    run: async (probe) => {
      const error = expectRefusal(await probe.post(probe.create({ previous_response_id: unknownId })));
      expect(error['code'] === notFound, `the code is ${JSON.stringify(error['code'])}; ${notFound} is expected`);
    },
  },
  {
    id: 'state/unknown-id-websocket',
    title: 'refuses an unknown previous_response_id on a WebSocket with previous_response_not_found',
    certainty: 'documented',
    protocol: ['P98', 'P113'],
    turns: 1,
    run: async (probe) => {
      const socket = await probe.connect();
      expectCode(await probe.turn(socket, probe.create({ previous_response_id: unknownId })), notFound);
    },
  },
  {
    id: 'state/continues',
    title: 'continues a response by its id on the same WebSocket, and names it in previous_response_id',
    certainty: 'documented',
    protocol: ['P41', 'P70'],
    turns: 2,
    run: async (probe) => {
      const { first, second } = await continued(probe, {});
      expect(
        second['previous_response_id'] === first['id'],
        `previous_response_id is ${JSON.stringify(second['previous_response_id'])}, ${String(first['id'])} was continued`,
      );
    },
  },
  {
    id: 'state/context',
    title: 'counts the context of the continued response among the input tokens',
    certainty: 'observed',
    protocol: ['P79'],
    turns: 3,
    run: async (probe) => {
      const input = `Remember this list: ${'apple, pear, plum, cherry, '.repeat(12)}and say ready.`;
      const { first, second } = await continued(probe, { input });
      const tokensOf = (response: Json): unknown => part(response, 'usage')['input_tokens'];
      const [before, after] = [tokensOf(first), tokensOf(second)];
      if (typeof before !== 'number' || typeof after !== 'number')
        throw new NotApplicable('the response has no usage: see events/usage');
      expect(
        after > before,
        `the continuation read ${after} input tokens, the turn that it continues ${before}: it was answered without its context`,
      );
    },
  },
  {
    id: 'state/tool-result',
    title: 'takes the result of a function as the continuation of the call, on the same WebSocket',
    certainty: 'documented',
    protocol: ['P41'],
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const tools = { tools: forcedCall['tools'], store: keepsBy(probe) };
      const turn = await probe.turn(socket, probe.create({ ...forcedCall, ...tools }));
      const first = responseOf(turn);
      const output = { type: 'function_call_output', call_id: calledIn(turn.events)['call_id'], output: 'It rains.' };
      const second = await probe.success(
        socket,
        probe.create({ ...tools, previous_response_id: first['id'], input: [output] }),
      );
      expect(
        second['status'] === 'completed' || second['status'] === 'incomplete',
        `it is ${String(second['status'])}`,
      );
    },
  },
  {
    id: 'state/unstored-elsewhere',
    title: 'forgets an unstored response with its connection: elsewhere it is previous_response_not_found',
    certainty: 'specified',
    protocol: ['P71', 'P113'],
    except: { gateway: 'a gateway may keep what the provider does not' },
    turns: 2,
    run: async (probe) => {
      const socket = await probe.connect();
      const { id } = await probe.success(socket, probe.create());
      await socket.close();
      const other = await probe.connect();
      expectCode(await probe.turn(other, probe.create({ previous_response_id: id, input: followUp })), notFound);
    },
  },
  {
    id: 'state/stored-elsewhere',
    title: 'continues a stored response over any connection and transport',
    certainty: 'documented',
    protocol: ['P71'],
    except: { chatgpt: 'it stores nothing' },
    turns: 2,
    run: async (probe) => {
      const { id } = await stored(probe);
      const { turn } = await probe.stream(probe.create({ store: true, previous_response_id: id, input: followUp }));
      const second = responseOf(turn);
      expect(
        second['previous_response_id'] === id,
        `previous_response_id is ${JSON.stringify(second['previous_response_id'])}`,
      );
    },
  },
  {
    id: 'state/store-told',
    title: 'tells in the response whether it is stored, as it was asked',
    certainty: 'specified',
    protocol: ['P80'],
    plain: ['sse'],
    run: async (probe) => {
      const { turn } = await probe.plain('SSE');
      const { store } = responseOf(turn);
      expect(store === false, `store is ${JSON.stringify(store)}; false was asked for`);
    },
  },
  {
    id: 'state/retrieve',
    title: 'gives a stored response at GET /responses/ID',
    certainty: 'documented',
    protocol: ['P29'],
    except: {
      openresponses: 'it does not specify this path',
      chatgpt: 'it stores nothing',
      vercel: 'it does not document this path',
      gateway: 'a gateway may serve turns only',
    },
    turns: 1,
    run: async (probe) => {
      const { id } = await stored(probe);
      const { status, json } = await probe.request({ method: 'GET', path: `responses/${String(id)}` });
      expect(status === 200, `status ${status}; 200 is expected`);
      const found = part({ json }, 'json')['id'];
      expect(found === id, `the response there is ${JSON.stringify(found)}`);
    },
  },
  {
    id: 'state/eviction',
    title: 'forgets an unstored response whose continuation has failed',
    certainty: 'documented',
    protocol: ['P72', 'P113'],
    except: {
      xai: 'it does not continue what is not stored',
      vercel: 'a close follows each error',
      gateway: 'a gateway may keep what the provider does not',
    },
    turns: 3,
    run: async (probe) => {
      const socket = await probe.connect();
      const { id } = await probe.success(socket, probe.create());
      const stranger = { type: 'function_call_output', call_id: 'call_of_nobody', output: 'nothing' };
      expectErrorFrame(await probe.turn(socket, probe.create({ previous_response_id: id, input: [stranger] })));
      expectCode(await probe.turn(socket, probe.create({ previous_response_id: id, input: followUp })), notFound);
    },
  },
  {
    id: 'state/isolation',
    title: 'does not let one key continue the stored response of another',
    certainty: 'observed',
    protocol: ['P15'],
    except: { chatgpt: 'it stores nothing' },
    turns: 3,
    run: async (probe) => {
      if (probe.run.target.secondKey === undefined)
        throw new NotApplicable('this rule needs the key of another user: name it with --second-key-from VARIABLE');
      const { id } = await stored(probe);
      const create = probe.create({ previous_response_id: id, input: followUp });
      const answer = await probe.post(create, { credential: 'second' });
      expect(
        answer.status >= 400 && answer.status < 500,
        `over HTTP another key was answered with status ${answer.status}`,
      );
      const found = await probe.request({ method: 'GET', path: `responses/${String(id)}`, credential: 'second' });
      expect(found.status !== 200, 'another key was given the response at GET /responses/ID');
      const socket = await probe.connect({ credential: 'second' });
      expectErrorFrame(await probe.turn(socket, create));
    },
  },
];

/** True where a turn must be stored before it can be continued on its connection. */
function keepsBy({ profile }: Probe): boolean {
  return !profile.continuesUnstored;
}

/** Two turns on one socket, the second of which continues the first by its id. */
async function continued(probe: Probe, fields: Json): Promise<{ first: Json; second: Json }> {
  const socket = await probe.connect();
  const store = keepsBy(probe);
  const first = await probe.success(socket, probe.create({ store, ...fields }));
  const { id } = first;
  expect(typeof id === 'string', 'the response has no id');
  const second = await probe.success(socket, probe.create({ store, previous_response_id: id, input: followUp }));
  return { first, second };
}

async function stored(probe: Probe): Promise<Json> {
  const answer = await probe.post(probe.create({ store: true }));
  expect(answer.status === 200, `a POST with store: true was answered with status ${answer.status}`);
  return part(answer, 'json');
}
