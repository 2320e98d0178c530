import type { Exchange } from '../server/exchange.js';
import type { Json } from '../server/events.js';

/** A turn as its caller saw it. */
export interface TurnRecord {
  /** As they were when the turn began. */
  params: Json;
  /** Handed over, in order. */
  events: Json[];
  /** How the iteration ended, each time it did. */
  ends: ('done' | 'error')[];
  /** Events that were handed over after an end. */
  late: number;
  report: TurnFacts;
}

/** The part of the turn's report that the oracle judges. */
export interface TurnFacts {
  outcome: string | undefined;
  responseId: string | undefined;
  attempts: readonly { transport: string; phase: string; error: string | undefined }[];
  totalMs: number | undefined;
  usage: unknown;
}

/** All that is known of a scenario after its end, from outside the client. */
export interface ScenarioRecord {
  turns: TurnRecord[];
  exchanges: Exchange[];
  /** How often the client was asked to prepare something that is no turn. @default 0 */
  warmUps?: number;
  /** Connections of which a part of what the server wrote is unknown, by their numbers: its bytes were the test's own. */
  handwritten: 'all' | ReadonlySet<number>;
  /** The longest a turn may take, and the most times it may be tried. */
  budgetMs: number;
  maxAttempts: number;
  /** How often the tool of each call was run. */
  effects: ReadonlyMap<string, number>;
  /** Of a gateway between client and server: the turns that it began, and how often it sent them up. */
  relayed?: { turns: number; attempts: number } | undefined;
  leaks: {
    /** Connections that carry a turn, after all turns have settled. */
    busy: number;
    sockets: number;
    maxSockets: number;
    /** The handles that keep the process alive, before and after. */
    handles: readonly [before: number, after: number];
    listeners: readonly [before: number, after: number];
  };
  /** Exceptions and rejections that nobody caught, and warnings. */
  strays: readonly unknown[];
  secret: string;
  /** Everything that the client said: errors, reports, warnings, diagnostics; and what it sent, without the headers of its handshakes. */
  said: readonly string[];
  /** How a program that has used the client ended. */
  child?: { code: number | null; signal: string | null; afterMs: number };
}
