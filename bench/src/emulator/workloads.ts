import { Load, repeat } from './load.js';
import type { Kind, Usage } from './protocol.js';

/** The measurements of one server in one round, by the columns of the table. */
export type Measured = Readonly<Record<string, number>>;

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** The kinds of servers that can take part. */
  readonly kinds: readonly Kind[];
  readonly everyMs: number;
  readonly text: string | undefined;
  readonly columns: readonly { readonly name: string; readonly unit: string; readonly most: number }[];
  run(url: string, usage: () => Promise<Usage>): Promise<Measured>;
}

const wordCount = 34;
/** A text whose answer has 42 events, eight of which are around its deltas. */
const answerText = 'words '.repeat(wordCount).trimEnd();
const eventsAnAnswer = wordCount + 8;

const all: readonly Kind[] = ['turnwire', 'aimock', 'floor'];

export const workloads: readonly Workload[] = [
  streaming('sse-at-once', '42-event SSE answers, all of their events at once', 0, 2000),
  streaming('sse-paced', '42-event SSE answers, a delta each millisecond', 1, 600),
  waiting('large-text', 'One text of 10 MB in, while others ask', () => 'x'.repeat(10_000_000)),
  waiting('large-items', '100,000 messages of 10 MB in, while others ask', () => history(100_000, 100)),
  waiting('large-calls', '25,000 calls and their outputs of 10 MB in, while others ask', () => calls(25_000)),
  waiting(
    'large-echo',
    'One text of 10 MB in, and back as an echo, while others ask',
    () => 'word '.repeat(2_000_000),
    undefined,
  ),
  conversations('histories', '1,000 conversations of 20 turns, full histories over SSE', overSse),
  conversations('chains', '1,000 conversations of 20 turns, deltas over a WebSocket each', overSockets),
];

function streaming(id: string, title: string, everyMs: number, answers: number): Workload {
  const body = JSON.stringify({ model: 'any', input: 'Hello', stream: true });
  return {
    id,
    title,
    kinds: all,
    everyMs,
    text: answerText,
    columns: [{ name: 'CPU an event', unit: 'µs', most: 0.6 }],
    async run(url, usage) {
      const load = new Load(url);
      await repeat(200, 20, () => load.post(body));
      const events = (await load.post(body)).match(/^event:/gm)?.length;
      if (events !== eventsAnAnswer) throw new Error(`an answer has ${events} events, not ${eventsAnAnswer}`);
      const before = await usage();
      await repeat(answers, 20, () => load.post(body));
      const after = await usage();
      load.close();
      return { 'CPU an event': (after.cpuUs - before.cpuUs) / answers / eventsAnAnswer };
    },
  };
}

function waiting(id: string, title: string, input: () => unknown, text: string | undefined = answerText): Workload {
  const small = JSON.stringify({ model: 'any', input: 'Hello', stream: true });
  return {
    id,
    title,
    kinds: text === undefined ? ['turnwire'] : ['turnwire', 'aimock'],
    everyMs: 0,
    text,
    columns: [{ name: 'longest wait of others', unit: 'ms', most: 0.15 }],
    async run(url) {
      const load = new Load(url);
      await repeat(50, 5, () => load.post(small));
      const body = Buffer.from(JSON.stringify({ model: 'any', input: input(), stream: true }));
      const state = { ended: false };
      const large = load.post(body).finally(() => (state.ended = true));
      let longest = 0;
      while (!state.ended) {
        const begun = performance.now();
        await load.post(small);
        longest = Math.max(longest, performance.now() - begun);
      }
      await large;
      load.close();
      return { 'longest wait of others': longest };
    },
  };
}

function conversations(id: string, title: string, converse: (load: Load, turns: number) => Promise<void>): Workload {
  return {
    id,
    title,
    kinds: ['turnwire'],
    everyMs: 0,
    text: answerText,
    columns: [
      { name: 'CPU', unit: 's', most: 0.6 },
      { name: 'peak RSS', unit: 'MiB', most: 0.8 },
    ],
    async run(url, usage) {
      const load = new Load(url);
      const before = await usage();
      await repeat(1000, 50, () => converse(load, 20));
      const after = await usage();
      load.close();
      return { CPU: (after.cpuUs - before.cpuUs) / 1e6, 'peak RSS': after.peakMb };
    },
  };
}

async function overSse(load: Load, turns: number): Promise<void> {
  const input: object[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    input.push({ role: 'user', content: `Question ${turn}` });
    const answer = await load.post(JSON.stringify({ model: 'any', input, stream: true }));
    const data = answer.slice(answer.lastIndexOf('data: ') + 6);
    input.push(...(JSON.parse(data) as { response: { output: object[] } }).response.output);
  }
}

async function overSockets(load: Load, turns: number): Promise<void> {
  const socket = await load.socket();
  let previous: string | undefined;
  for (let turn = 0; turn < turns; turn += 1) {
    const create = { model: 'any', input: `Question ${turn}`, previous_response_id: previous };
    previous = (JSON.parse(await socket.turn(create)) as { response: { id: string } }).response.id;
  }
  socket.close();
}

function history(messages: number, bytes: number): object[] {
  return Array.from({ length: messages }, (_, index) => ({
    role: 'user',
    content: `${index} `.padEnd(bytes - 34, 'x'),
  }));
}

function calls(count: number): object[] {
  return Array.from({ length: count }, (_, index): object[] => [
    {
      type: 'function_call',
      id: `fc_${index}`,
      call_id: `call_${index}`,
      name: 'read',
      arguments: `{"path":"file-${index}"}`,
    },
    { type: 'function_call_output', call_id: `call_${index}`, output: `{"text":"${'word '.repeat(40)}"}` },
  ])
    .flat()
    .concat([{ role: 'user', content: 'Go on.' }]);
}
