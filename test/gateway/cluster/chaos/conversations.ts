import { setTimeout as wait } from 'node:timers/promises';
import { ask } from './http-client.js';
import { wordsOf } from './upstream.js';
import { WebSocketClient } from './web-socket-client.js';
import type { Upstream } from './upstream.js';

export interface Tally {
  turns: number;
  /** Conversations of clients that use a WebSocket. */
  overWebSockets: number;
  /** Never answered, however often they were asked. */
  lost: number;
  /** Answered to the end more than once, by the upstream or to the client. */
  doubled: number;
  /** Answered in another context than the client's. */
  mixedUp: number;
  /** Answered with another key than the client's. */
  othersTurns: number;
  /** Asked again by the client, after an error that allows it or a connection that broke. */
  askedAgain: number;
  msMost: number;
}

export interface RunOptions {
  upstream: Upstream;
  turns: number;
  conversations: number;
  /** At once. */
  concurrency: number;
  /** The base of the gateway that a conversation's next turn goes to. */
  route: (conversation: number) => string;
  /** Called before each turn. */
  onTurn?: (turn: number) => void;
  random: () => number;
  paceMs?: number | undefined;
  /** Whole histories alone, stored or not. @default every manner of continuing */
  store?: boolean | undefined;
}

/** How a client asks, and continues: with its whole history, or by the id of the response before. */
type Manner = { store: boolean; byId: boolean; stream: boolean };

class Conversation {
  readonly number: number;
  readonly key: string;
  readonly manner: Manner;
  readonly history: object[] = [];
  /** undefined for a client that speaks HTTP. */
  readonly socket: WebSocketClient | undefined;
  previous: string | undefined;
  turn = 0;

  constructor(number: number, store: boolean | undefined) {
    this.number = number;
    // A few conversations of each key.
    this.key = `Bearer sk-${number % 7}`;
    const isAny = store === undefined;
    this.manner = { store: store ?? number % 2 === 0, byId: isAny && number % 5 === 0, stream: number % 3 === 0 };
    this.socket = isAny && number % 4 > 1 ? new WebSocketClient(this.key) : undefined;
  }
}

const mostAttempts = 60;

/** Runs so many turns of so many conversations, and holds each answer against what the upstream has read for it. */
export async function runConversations(options: RunOptions): Promise<Tally> {
  const { upstream, turns, concurrency, random } = options;
  const tally: Tally = {
    turns: 0,
    overWebSockets: 0,
    lost: 0,
    doubled: 0,
    mixedUp: 0,
    othersTurns: 0,
    askedAgain: 0,
    msMost: 0,
  };
  const all = Array.from({ length: options.conversations }, (_, number) => new Conversation(number, options.store));
  const idle = [...all];
  const asked: string[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < turns) {
      begun += 1;
      options.onTurn?.(begun);
      const [conversation] = idle.splice(Math.floor(random() * idle.length), 1);
      if (conversation === undefined) throw new Error('more workers than conversations');
      await takeTurn(conversation, options, tally, asked);
      if (options.paceMs !== undefined) await wait(options.paceMs);
      idle.push(conversation);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  for (const { socket } of all) {
    tally.doubled += socket?.unasked ?? 0;
    socket?.close();
  }
  for (const words of asked) if ((upstream.completed.get(words) ?? 0) > 1) tally.doubled += 1;
  return tally;
}

async function takeTurn(
  conversation: Conversation,
  { upstream, route }: RunOptions,
  tally: Tally,
  asked: string[],
): Promise<void> {
  const { number, manner, history, key, socket } = conversation;
  conversation.turn += 1;
  tally.turns += 1;
  if (socket !== undefined) tally.overWebSockets += 1;
  const from = performance.now();
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    // Each attempt is another turn to the upstream: that a client asks again is its own doing.
    const words = `Conversation ${number}, turn ${conversation.turn}, attempt ${attempt}. ${'x'.repeat(200)}`;
    const item = { type: 'message', role: 'user', content: words };
    asked.push(words);
    const byId = manner.byId && conversation.previous !== undefined;
    const body = {
      model: 'any',
      store: manner.store,
      stream: manner.stream,
      input: byId ? [item] : [...history, item],
      ...(byId && { previous_response_id: conversation.previous }),
    };
    const response = await (socket?.ask(() => route(number), body) ?? ask(route(number), key, body));
    if (response === 'not_found') conversation.previous = undefined;
    if (typeof response === 'string') {
      tally.askedAgain += 1;
      if (response === 'failed') await wait(20);
      continue;
    }
    tally.msMost = Math.max(tally.msMost, performance.now() - from);
    history.push(item, ...response.output);
    conversation.previous = response.id;
    const made = upstream.made.get(response.id);
    if (made?.key !== key) tally.othersTurns += 1;
    if (made === undefined || made.words.join('\n') !== wordsOf(history).join('\n')) tally.mixedUp += 1;
    return;
  }
  tally.lost += 1;
}
