import { channel } from 'node:diagnostics_channel';

/**
 * What can be listened to, with `node:diagnostics_channel`, as `turnwire:NAME`. Messages hold no secrets and nothing of what the model
 * was told or said: numbers, origins, codes. Without listeners they cost one check.
 */
export interface DiagnosticMessages {
  /** A connection is about to be dialled. */
  dial: { connection: number; origin: string };
  /** It is open. */
  open: { connection: number; origin: string; ms: number };
  /** A turn's request was handed to the network. */
  send: { turn: number; transport: 'websocket' | 'sse'; connection: number | undefined; bytes: number };
  /** The first event of a turn has come. */
  'first-event': { turn: number; transport: 'websocket' | 'sse'; ms: number };
  /** A turn goes on over SSE; `reason` is a sentence. */
  fallback: { turn: number; reason: string };
  /** A connection is replaced because of its age. */
  rotate: { connection: number; ageMs: number };
  /** A connection has ended: by us (`reason`) or by the other side (`code`). */
  close: { connection: number; code: number | undefined; reason: string };
}

export function publish<Name extends keyof DiagnosticMessages>(name: Name, message: DiagnosticMessages[Name]): void {
  const target = channels[name];
  if (target.hasSubscribers) target.publish(message);
}

const channels = {
  dial: channel('turnwire:dial'),
  open: channel('turnwire:open'),
  send: channel('turnwire:send'),
  'first-event': channel('turnwire:first-event'),
  fallback: channel('turnwire:fallback'),
  rotate: channel('turnwire:rotate'),
  close: channel('turnwire:close'),
};
