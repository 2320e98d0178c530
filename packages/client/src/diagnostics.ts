import { channel } from 'node:diagnostics_channel';

/**
 * What can be listened to: with `node:diagnostics_channel`, as `turnwire:NAME`, for all clients of the process; or with the option `onEvent`,
 * for one. Messages hold no secrets and nothing of what the model was told or said: numbers, origins, codes. Without listeners they
 * cost one check.
 */
export interface DiagnosticMessages {
  /** A connection is about to be dialled. */
  dial: { connection: number; origin: string };
  /** A connection has opened. */
  open: { connection: number; origin: string; ms: number };
  /** A turn has been given a connection that was open already. */
  reuse: { turn: number; connection: number };
  /** How much of the request travels, and why not less: see `TurnReport.planReason`. */
  plan: { turn: number; plan: 'full' | 'delta'; reason: string | undefined };
  /** A turn's request was handed to the network. */
  send: { turn: number; transport: 'websocket' | 'sse'; connection: number | undefined; bytes: number };
  /** The first event of a turn has come. */
  'first-event': { turn: number; transport: 'websocket' | 'sse'; ms: number };
  /** An attempt has failed, and something is done about it. */
  recovery: { turn: number; cause: string; move: string; delayMs: number };
  /** A turn goes over SSE although a WebSocket was preferred; `reason` is a sentence. */
  fallback: { turn: number; reason: string };
  /** A connection is replaced because of its age. */
  rotate: { connection: number; ageMs: number };
  /** A connection has ended: by us (`reason`) or by the other side (`code`). */
  close: { connection: number; code: number | undefined; reason: string };
}

type Name = keyof DiagnosticMessages;

/** A message with its name, as `onEvent` gets it. */
export type DiagnosticEvent = { [Each in Name]: { name: Each } & DiagnosticMessages[Each] }[Name];

/** The diagnostics of one client. */
export class Diagnostics {
  readonly #onEvent: ((event: DiagnosticEvent) => void) | undefined;

  constructor(onEvent: ((event: DiagnosticEvent) => void) | undefined) {
    this.#onEvent = onEvent;
  }

  publish<Each extends Name>(name: Each, message: DiagnosticMessages[Each]): void {
    const target = channels[name];
    if (target.hasSubscribers) target.publish(message);
    const onEvent = this.#onEvent;
    if (onEvent === undefined) return;
    const event = { name, ...message } as unknown as DiagnosticEvent;
    // Not from within the turn: what the callback throws is its owner's, and ends no turn (I3).
    queueMicrotask(() => onEvent(event));
  }
}

const channels: Readonly<Record<Name, ReturnType<typeof channel>>> = {
  dial: channel('turnwire:dial'),
  open: channel('turnwire:open'),
  reuse: channel('turnwire:reuse'),
  plan: channel('turnwire:plan'),
  send: channel('turnwire:send'),
  'first-event': channel('turnwire:first-event'),
  recovery: channel('turnwire:recovery'),
  fallback: channel('turnwire:fallback'),
  rotate: channel('turnwire:rotate'),
  close: channel('turnwire:close'),
};
