import { initialWindowBytes, windowForgottenMs } from './server/link.js';
import type { Answer } from './server/answer.js';
import type { Exercise } from './client/exercise.js';

/** A workload: its clients, its metrics, and its goals for turnwire. */
export interface Workload {
  id: string;
  title: string;
  exercise: Exercise;
  /** The simulated link between client and server; without one, the loopback. */
  link?: { rttMs: number; window: boolean };
  /** True where the server speaks TLS. */
  tls?: boolean;
  /** The ids of the clients. */
  rows: readonly string[];
  /** The metrics in the order of the tables; the first one is charted. */
  metrics: readonly Metric[];
  goals: readonly Goal[];
  /** The longest run of one client in one round, in milliseconds. */
  limitMs: number;
}

export interface Metric {
  name: string;
  title: string;
  digits: number;
  /** The row that the ratios are taken against. */
  against?: string;
}

/** A goal for the medians of one run. */
export type Goal = { row: string; metric: string } & (
  | { against: string; atMost: number }
  | { against: string; atLeast: number }
  /** At most so much more than the reference. */
  | { against: string; beyond: number }
  | { most: number }
);

const text: Answer = { kind: 'text', events: 500, bytes: 180, rate: 0, firstMs: 0 };
const call: Answer = { kind: 'call', events: 20, bytes: 180, rate: 0, firstMs: 0 };

const webSockets = ['ws', 'undici', 'openai-ws', 'agents-ws', 'turnwire-ws'];
const sse = ['parser', 'openai-sse', 'agents-sse', 'ai', 'turnwire-sse'];
const onFetch = ['openai-fetch', 'agents-fetch', 'ai-fetch'];
const everyone = ['floor', ...webSockets, ...sse, 'openai-stream', 'agents-runner', ...onFetch];

const cpu: Metric = { name: 'cpuUsPerEvent', title: 'CPU per event, µs', digits: 2, against: 'ws' };
const rate: Metric = { name: 'eventsPerSecond', title: 'events/s', digits: 0 };
const busy: Metric = { name: 'serverBusy', title: "server's CPU, % of one core", digits: 0 };

/**
 * Goals for the CPU of an event: `client.turn` against a plain client of the same transport, and each SDK on `createFetch` against itself on the ordinary
 * fetch.
 */
function eventGoals(most: { webSocket: number; sse: number; openai: number }): readonly Goal[] {
  return [
    { row: 'turnwire-ws', metric: 'cpuUsPerEvent', against: 'ws', atMost: most.webSocket },
    { row: 'turnwire-sse', metric: 'cpuUsPerEvent', against: 'parser', atMost: most.sse },
    { row: 'openai-fetch', metric: 'cpuUsPerEvent', against: 'openai-sse', atMost: most.openai },
    { row: 'ai-fetch', metric: 'cpuUsPerEvent', against: 'ai', atMost: 1 },
    { row: 'agents-fetch', metric: 'cpuUsPerEvent', against: 'agents-sse', atMost: 1 },
  ];
}

/** The server alone must reach a quarter more than the fastest client asks for, which shows that it does not limit the clients. */
const proof: Goal = { row: 'sink', metric: 'eventsPerSecond', against: 'floor', atLeast: 1.25 };

const far = { rttMs: 40, window: true } as const;
/** The simulated distance in words, for the tables. */
const farInWords = `40 ms and TLS, a congestion window of ${initialWindowBytes} bytes that ${windowForgottenMs} ms of idling reset`;

export const workloads: readonly Workload[] = [
  {
    id: 'short',
    title: 'short events (180 bytes), back to back',
    exercise: { kind: 'events', answer: text, conversations: 1, warmUpMs: 1200, measureMs: 1200 },
    rows: ['sink', ...everyone],
    metrics: [cpu, rate, busy],
    goals: [...eventGoals({ webSocket: 1, sse: 0.9, openai: 0.85 }), proof],
    limitMs: 60_000,
  },
  {
    id: 'short-coalesced',
    title: 'short events (180 bytes), over SSE in one HTTP chunk an answer, as no server sends them',
    exercise: {
      kind: 'events',
      answer: { ...text, chunk: 'answer' },
      conversations: 1,
      warmUpMs: 1200,
      measureMs: 1200,
    },
    rows: ['parser', 'openai-sse', 'turnwire-sse'],
    metrics: [{ ...cpu, against: 'parser' }, rate, busy],
    goals: [],
    limitMs: 60_000,
  },
  {
    id: 'longer',
    title: 'longer events (570 bytes), back to back',
    exercise: { kind: 'events', answer: { ...text, bytes: 570 }, conversations: 1, warmUpMs: 1200, measureMs: 1200 },
    rows: ['sink', ...everyone],
    metrics: [cpu, rate, busy],
    goals: [...eventGoals({ webSocket: 1.05, sse: 0.7, openai: 0.8 }), proof],
    limitMs: 60_000,
  },
  {
    id: 'paced-16',
    title: '16 streams of 500 events/s each',
    exercise: {
      kind: 'events',
      answer: { ...text, rate: 500 },
      conversations: 16,
      warmUpMs: 5000,
      measureMs: 2000,
    },
    rows: everyone,
    metrics: [cpu, rate, busy],
    goals: eventGoals({ webSocket: 1, sse: 0.5, openai: 0.75 }),
    limitMs: 60_000,
  },
  {
    id: 'paced-64',
    title: '64 conversations of 100 events/s each',
    exercise: {
      kind: 'events',
      answer: { ...text, events: 100, rate: 100 },
      conversations: 64,
      warmUpMs: 5000,
      measureMs: 2000,
    },
    rows: everyone,
    metrics: [cpu, rate, busy],
    goals: eventGoals({ webSocket: 1, sse: 0.5, openai: 0.75 }),
    limitMs: 60_000,
  },
  {
    id: 'burst',
    title: '64 conversations that ask at once: time to first event',
    exercise: {
      kind: 'burst',
      answer: { ...text, events: 20, rate: 100 },
      conversations: 64,
      warmUpMs: 5000,
      measureMs: 2500,
    },
    rows: everyone,
    metrics: [
      { name: 'firstEventP99Ms', title: 'p99, ms', digits: 1, against: 'ws' },
      { name: 'firstEventP50Ms', title: 'median, ms', digits: 1 },
      busy,
    ],
    goals: [{ row: 'turnwire-ws', metric: 'firstEventP99Ms', against: 'ws', atMost: 1.5 }],
    limitMs: 60_000,
  },
  {
    id: 'loop',
    title: '20 turns with tools, 20 KB more each turn; the clients on SSE and turnwire are handed the full history',
    exercise: { kind: 'loop', answer: call, turns: 20, resultBytes: 20_000, warmUpLoops: 80, loops: 20 },
    rows: [...webSockets, ...sse, ...onFetch],
    metrics: [
      { name: 'cpuMs', title: 'CPU of the loop, ms', digits: 1, against: 'openai-ws' },
      { name: 'loopMs', title: 'the whole loop, ms', digits: 1, against: 'openai-sse' },
      { name: 'sentKb', title: 'sent, KB', digits: 0, against: 'ws' },
      { name: 'lastToFirst', title: 'last turn ÷ first', digits: 2 },
    ],
    goals: [
      { row: 'turnwire-ws', metric: 'sentKb', against: 'ws', atMost: 1.02 },
      { row: 'turnwire-ws', metric: 'cpuMs', against: 'openai-ws', atMost: 1.1 },
      { row: 'turnwire-ws', metric: 'lastToFirst', most: 1.5 },
      { row: 'openai-fetch', metric: 'sentKb', against: 'ws', atMost: 1.02 },
      { row: 'openai-fetch', metric: 'loopMs', against: 'openai-sse', atMost: 0.9 },
    ],
    limitMs: 240_000,
  },
  {
    id: 'loop-far',
    title: `the same loop over ${farInWords}`,
    exercise: {
      kind: 'loop',
      answer: { ...call, rate: 200, firstMs: 150 },
      turns: 20,
      resultBytes: 20_000,
      warmUpLoops: 0,
      loops: 1,
    },
    link: far,
    tls: true,
    rows: ['ws', 'parser', 'openai-ws', 'openai-sse', 'ai', 'turnwire-ws', 'turnwire-sse', 'openai-fetch'],
    metrics: [
      { name: 'beyondServerMs', title: "time beyond the model's, ms", digits: 0, against: 'ws' },
      { name: 'loopMs', title: 'the whole loop, ms', digits: 0 },
      { name: 'lastToFirst', title: 'last turn ÷ first', digits: 2 },
      { name: 'sentKb', title: 'sent, KB', digits: 0 },
      { name: 'connections', title: 'connections', digits: 0 },
    ],
    goals: [{ row: 'turnwire-ws', metric: 'beyondServerMs', against: 'ws', atMost: 1.05 }],
    limitMs: 60_000,
  },
  {
    id: 'pause',
    title: 'a turn after a tool of 5 s, over 40 ms and TLS',
    exercise: { kind: 'pause', answer: { ...call, events: 1 }, pauseMs: 5000 },
    link: far,
    tls: true,
    rows: ['ws', 'parser', 'openai-ws', 'openai-sse', 'turnwire-ws', 'turnwire-sse', 'openai-fetch'],
    metrics: [
      { name: 'afterPauseMs', title: 'first event after the pause, ms', digits: 1, against: 'ws' },
      { name: 'warmMs', title: 'without a pause, ms', digits: 1 },
      { name: 'connections', title: 'connections', digits: 0 },
    ],
    goals: ['turnwire-ws', 'turnwire-sse'].flatMap((row): Goal[] => [
      { row, metric: 'afterPauseMs', most: far.rttMs + 8 },
      { row, metric: 'connections', most: 1 },
    ]),
    limitMs: 30_000,
  },
  {
    id: 'connections',
    title: '400 connections, each with one turn, then idle',
    exercise: { kind: 'connections', answer: { ...text, events: 1 }, connections: 401 },
    rows: ['floor', 'ws', 'undici', 'openai-ws', 'turnwire-ws'],
    metrics: [
      { name: 'rssKbPerConnection', title: 'memory per connection, KB', digits: 1, against: 'ws' },
      { name: 'connectionsPerSecond', title: 'opened per second', digits: 0, against: 'ws' },
    ],
    goals: [
      { row: 'turnwire-ws', metric: 'rssKbPerConnection', against: 'ws', atMost: 1.3 },
      { row: 'turnwire-ws', metric: 'connectionsPerSecond', against: 'ws', atLeast: 0.8 },
    ],
    limitMs: 60_000,
  },
  ...[
    { id: 'delta', title: 'the delta in a request with 1 MB of history and 2 KB new', chains: 0 },
    { id: 'delta-1000', title: 'the same among 1,000 chains that share their first 100 KB', chains: 1000 },
  ].map(({ id, title, chains }): Workload => ({
    id,
    title,
    exercise: {
      kind: 'delta',
      answer: { ...call, events: 1 },
      historyBytes: 1_000_000,
      newBytes: 2000,
      sharedBytes: 100_000,
      chains,
      turns: 120,
    },
    rows: ['turnwire-ws', 'turnwire-fetch'],
    metrics: [
      { name: 'ofYardstick', title: 'its CPU ÷ one JSON.stringify of it (fetch: JSON.parse)', digits: 2 },
      { name: 'deltaMs', title: 'its CPU, ms', digits: 2 },
    ],
    goals: ['turnwire-ws', 'turnwire-fetch'].map((row) => ({ row, metric: 'ofYardstick', most: 0.3 })),
    limitMs: 60_000,
  })),
  {
    id: 'import',
    title: 'the import',
    exercise: { kind: 'import' },
    rows: ['ws', 'undici', 'openai-sse', 'agents-sse', 'ai', 'turnwire-ws'],
    metrics: [{ name: 'importMs', title: 'import, ms', digits: 1, against: 'ws' }],
    goals: [{ row: 'turnwire-ws', metric: 'importMs', against: 'ws', beyond: 25 }],
    limitMs: 20_000,
  },
  {
    id: 'package',
    title: 'the package',
    exercise: { kind: 'package' },
    rows: ['turnwire-ws'],
    metrics: [
      { name: 'packedKb', title: 'packed, KB', digits: 1 },
      { name: 'packages', title: 'packages installed', digits: 0 },
    ],
    goals: [
      { row: 'turnwire-ws', metric: 'packedKb', most: 60 },
      { row: 'turnwire-ws', metric: 'packages', most: 6 },
    ],
    limitMs: 20_000,
  },
];
