import { endOf, isJson, isTerminal, part } from '../../probe/turn.js';
import { succeeded } from '../probe.js';
import { Deviation, expect } from '../deviation.js';
import { expectItems, expectParts, expectText } from '../expectations/items.js';
import type { Json, Turn, WireEvent } from '../../probe/turn.js';
import type { Certainty, Rule } from '../rule.js';
import type { ProfileName } from '../profile.js';

/** The fields of a response that openai-node's type requires. */
const sdkFields = [
  'id',
  'object',
  'created_at',
  'error',
  'incomplete_details',
  'instructions',
  'metadata',
  'model',
  'output',
  'parallel_tool_calls',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
];

/** The fields that OpenResponses requires in addition. */
const specifiedFields = [
  'completed_at',
  'status',
  'previous_response_id',
  'truncation',
  'text',
  'presence_penalty',
  'frequency_penalty',
  'top_logprobs',
  'reasoning',
  'usage',
  'max_output_tokens',
  'max_tool_calls',
  'store',
  'background',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
];

/** The event types of OpenResponses; servers may add others with the prefix of their vendor. */
const specifiedTypes =
  /^(?:error|response\.(?:created|queued|in_progress|completed|failed|incomplete|output_item\.(?:added|done)|content_part\.(?:added|done)|output_text\.(?:delta|done|annotation\.added)|refusal\.(?:delta|done)|reasoning\.(?:delta|done)|reasoning_summary_(?:part\.(?:added|done)|text\.(?:delta|done))|function_call_arguments\.(?:delta|done))|[\w-]+:.+)$/;

interface TurnRule {
  id: string;
  title: string;
  certainty: Certainty;
  protocol: Rule['protocol'];
  except?: NonNullable<Rule['except']>;
  only?: readonly ProfileName[];
  /** Checks one plain turn; `rest` has the events after its terminal event. */
  look: (turn: Turn, rest: readonly WireEvent[]) => void;
}

/** A rule that holds for the plain turn over each transport. */
function overBoth({ look, ...rule }: TurnRule): Rule {
  return {
    ...rule,
    plain: ['sse', 'websocket'],
    run: async (probe) => {
      for (const { turn, rest } of await probe.plainTurns()) {
        try {
          look(turn, rest);
        } catch (error) {
          if (error instanceof Deviation) throw new Deviation(`over ${turn.transport}: ${error.message}`);
          throw error;
        }
      }
    },
  };
}

export const events: readonly Rule[] = [
  overBoth({
    id: 'events/created-first',
    title: 'begins a response with response.created, once, in progress or queued, with an id',
    certainty: 'documented',
    protocol: ['P54'],
    look: (turn) => {
      const own = ofResponse(turn);
      const [first] = own;
      expect(first?.type === 'response.created', `the first event is ${first?.type ?? 'missing'}`);
      expect(
        own.filter(({ type }) => type === 'response.created').length === 1,
        'response.created came more than once',
      );
      const { id, status } = part(first.body, 'response');
      expect(typeof id === 'string' && id !== '', 'response.created has no id');
      expect(
        status === 'in_progress' || status === 'queued',
        `the status of the response is ${JSON.stringify(status)}`,
      );
    },
  }),
  overBoth({
    id: 'events/in-progress',
    title: 'sends response.in_progress behind response.created, before any output',
    certainty: 'documented',
    protocol: ['P54'],
    look: (turn) => {
      const types = ofResponse(turn).map(({ type }) => type);
      const at = types.indexOf('response.in_progress');
      expect(at !== -1, 'response.in_progress is missing');
      const output = types.findIndex((type) => /output|content|reasoning|refusal|call/.test(type));
      expect(output === -1 || at < output, `response.in_progress comes behind ${types[output] ?? ''}`);
    },
  }),
  overBoth({
    id: 'events/items',
    title: 'adds each output item, ends it, and counts items by output_index from 0',
    certainty: 'documented',
    protocol: ['P54', 'P59'],
    look: ({ events }) => expectItems(events),
  }),
  overBoth({
    id: 'events/parts',
    title: 'places parts and deltas by item_id, output_index and content_index, inside of what is open',
    certainty: 'documented',
    protocol: ['P54', 'P59'],
    look: ({ events }) => expectParts(events),
  }),
  overBoth({
    id: 'events/text',
    title: 'sends deltas that add up to the text of output_text.done and of the finished item',
    certainty: 'documented',
    protocol: ['P54'],
    look: ({ events }) => expectText(events),
  }),
  overBoth({
    id: 'events/sequence-numbers',
    title: 'numbers the events of a response by sequence_number, upwards',
    certainty: 'SDK types',
    protocol: ['P55'],
    look: (turn) => {
      let last = -1;
      for (const { type, body } of ofResponse(turn)) {
        const { sequence_number: number } = body;
        expect(typeof number === 'number' && Number.isInteger(number), `${type} has no sequence_number`);
        expect(number > last, `${type} has the sequence_number ${number}, the event before it ${last}`);
        last = number;
      }
    },
  }),
  overBoth({
    id: 'events/one-id',
    title: 'names one response from beginning to end',
    certainty: 'documented',
    protocol: ['P54'],
    look: ({ events }) => {
      const ids = new Set(events.map(({ body }) => part(body, 'response')['id']).filter((id) => id !== undefined));
      expect(ids.size === 1, `the events of one turn name the responses ${[...ids].map(String).join(', ')}`);
    },
  }),
  overBoth({
    id: 'events/terminal',
    title: 'ends a response with one terminal event, whose status is that of its type',
    certainty: 'documented',
    protocol: ['P57'],
    look: (turn, rest) => {
      const at = turn.events.findIndex(isTerminal);
      const end = turn.events[at];
      const behind = [...turn.events.slice(at + 1), ...rest].filter(({ type }) => /^(?:response\.|error$)/.test(type));
      expect(behind.length === 0, `${behind[0]?.type ?? ''} comes behind the terminal event`);
      const { status } = endOf(turn);
      expect(
        end?.type === `response.${String(status)}`,
        `${end?.type ?? ''} has a response whose status is ${JSON.stringify(status)}`,
      );
    },
  }),
  overBoth({
    id: 'events/terminal-output',
    title: 'repeats the finished items in the output of the terminal response',
    certainty: 'SDK types',
    protocol: ['P58'],
    except: { chatgpt: 'its terminal event has an empty output' },
    look: (turn) => {
      const finished = turn.events.filter(({ type }) => type === 'response.output_item.done');
      const { output } = endOf(turn);
      // A missing output is allowed; an empty one is not, since SDKs take it for the answer.
      if (output === undefined) return;
      expect(Array.isArray(output), 'output is no list');
      const told = output.map(brief).join(', ');
      const sent = finished.map(({ body }) => brief(body['item'])).join(', ');
      expect(told === sent, `the terminal response has [${told}], finished were [${sent}]`);
    },
  }),
  overBoth({
    id: 'events/usage',
    title: 'tells the usage in the terminal response, with its details, and sums that agree',
    certainty: 'SDK types',
    protocol: ['P79'],
    look: (turn) => {
      const usage = part(endOf(turn), 'usage');
      const { input_tokens: input, output_tokens: output, total_tokens: total } = usage;
      expect(isCount(input) && isCount(output) && isCount(total), `usage is ${JSON.stringify(usage)}`);
      expect(total === input + output, `total_tokens is ${total}, not ${input} + ${output}`);
      expect(
        isCount(part(usage, 'input_tokens_details')['cached_tokens']),
        'input_tokens_details.cached_tokens is missing',
      );
      expect(
        isCount(part(usage, 'output_tokens_details')['reasoning_tokens']),
        'output_tokens_details.reasoning_tokens is missing',
      );
    },
  }),
  overBoth({
    id: 'events/fields',
    title: 'has the fields in the terminal response that the types of openai-node promise',
    certainty: 'SDK types',
    protocol: ['P115'],
    look: (turn) => expectFields(endOf(turn), sdkFields),
  }),
  overBoth({
    id: 'events/specified-fields',
    title: 'has all fields in the terminal response that OpenResponses demands',
    certainty: 'specified',
    protocol: ['P115'],
    only: ['openresponses'],
    look: (turn) => expectFields(endOf(turn), [...sdkFields, ...specifiedFields]),
  }),
  overBoth({
    id: 'events/specified-types',
    title: 'sends no event type that OpenResponses does not have, but with a prefix',
    certainty: 'specified',
    protocol: ['P60', 'P115'],
    only: ['openresponses'],
    look: ({ events }) => {
      const other = events.find(({ type }) => !specifiedTypes.test(type));
      expect(other === undefined, `${other?.type ?? ''} is no event of the specification`);
    },
  }),
  {
    id: 'events/function-call',
    title: 'sends a forced function call with a call_id, and deltas that add up to its arguments in JSON',
    certainty: 'documented',
    protocol: ['P59'],
    turns: 1,
    run: async (probe) => {
      const { turn } = await probe.stream(probe.create(forcedCall));
      expect(turn.broken === undefined && succeeded(turn), `the turn has no call: ${turn.broken ?? 'it failed'}`);
      const item = calledIn(turn.events);
      const deltas = turn.events
        .filter(({ type }) => type === 'response.function_call_arguments.delta')
        .map(({ body }) => String(body['delta']));
      expect(
        deltas.join('') === item['arguments'],
        'the deltas of the arguments do not add up to those of the finished item',
      );
      const end = turn.events.find(({ type }) => type === 'response.function_call_arguments.done');
      expect(end !== undefined, 'response.function_call_arguments.done is missing');
      expect(
        end.body['arguments'] === item['arguments'],
        'function_call_arguments.done has other arguments than the item',
      );
      expectItems(turn.events);
    },
  },
];

/** A request that forces the model to call a function. */
export const forcedCall: Json = {
  input: 'What is the weather in Bonn? Use the tool.',
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      description: 'The weather in a city.',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
      strict: true,
    },
  ],
  tool_choice: 'required',
};

/** The function call that a forced turn made. @throws Deviation */
export function calledIn(events: readonly WireEvent[]): Json {
  const item = events
    .filter(({ type }) => type === 'response.output_item.done')
    .map(({ body }) => part(body, 'item'))
    .find(({ type }) => type === 'function_call');
  expect(item !== undefined, 'tool_choice is required, and no function_call item was finished');
  const { call_id: id, name, arguments: text } = item;
  expect(typeof id === 'string' && id !== '', 'the call has no call_id');
  expect(name === 'get_weather', `the call is of ${JSON.stringify(name)}, which is not the tool that was offered`);
  let value: unknown;
  try {
    value = JSON.parse(String(text));
  } catch {
    value = undefined;
  }
  expect(typeof text === 'string' && isJson(value), `the arguments are no JSON object: ${String(text).slice(0, 100)}`);
  return item;
}

/** The events of the response, without those of other kinds that some servers send in between. */
function ofResponse({ events }: Turn): readonly WireEvent[] {
  return events.filter(({ type }) => type.startsWith('response.') && !/^response\.(?:metadata|steer\.)/.test(type));
}

function expectFields(response: Json, fields: readonly string[]): void {
  const missing = fields.filter((field) => !(field in response));
  expect(missing.length === 0, `the terminal response lacks ${missing.join(', ')}`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** The parts of an item that are the same in its own event and in the terminal response. Real servers send other encrypted contents in the two. */
function brief(item: unknown): string {
  if (!isJson(item)) return 'no item';
  const { type, id, content, arguments: text } = item;
  const words = Array.isArray(content)
    ? content.map((each) => (isJson(each) ? String(each['text']) : '')).join('')
    : '';
  return [type, id, words, text]
    .filter((each) => each !== undefined && each !== '')
    .map(String)
    .join(' ');
}
