import { isUtf8 } from 'node:buffer';
import { bodyText } from '@turnwire/client/relay';
import { Refusal } from '../base/refusal.js';
import type { Json, JsonObject, RelayBodies } from '@turnwire/client/relay';

/** The form of the answer that a client asked for. */
export type Downstream = 'sse' | 'json' | 'websocket';

/** A client's request for a turn. */
export interface Create {
  /** The fields of the request. They must not be changed: their items are shared with those of earlier requests. */
  readonly params: JsonObject;
  /** The chunks of a request without a stream, which HTTP may carry as it is; undefined where `params` say something else by now. */
  readonly raw: readonly Buffer[] | undefined;
  /** The size of the client's request, in bytes. */
  readonly bytes: number;
  /** Remembers the parsed items for later requests. Call it once the answer was read to its end. */
  keep(): void;
}

/**
 * @param raw the chunks of a request or of a message, in their order.
 * @throws Refusal for a body that is no JSON object.
 */
export function readCreate(bodies: RelayBodies, raw: readonly Buffer[]): Create {
  const body = bodies.read(raw);
  if (body === undefined) throw new Refusal(complaint(Buffer.concat(raw)), { code: 'invalid_json' });
  const { params } = body;
  // Of a request with a stream only the fields are needed: its chunks are let go of at once, while V8 frees them at the next collection of young objects.
  const plain = params['stream'] === true ? undefined : raw;
  return { params, raw: plain, bytes: bytesOf(raw), keep: () => body.keep() };
}

/** The body to send for the turn over HTTP. */
export function bodyOf({ raw, params }: Create): string | Buffer {
  return raw === undefined ? bodyText(params) : Buffer.concat(raw);
}

function bytesOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}

function complaint(raw: Buffer): string {
  if (!isUtf8(raw)) return 'the request body is not UTF-8 text';
  const text = raw.toString();
  if (text.trim() === '') return 'the request body is empty: it must be a JSON object with model and input';
  try {
    const value: unknown = JSON.parse(text);
    const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? 'the request is nested too deep'
      : `the request body must be a JSON object, not ${kind}`;
  } catch {
    return 'the request body is not valid JSON';
  }
}

/** The same request with some fields replaced. */
export function withParams(create: Create, changes: JsonObject): Create {
  return { ...create, params: { ...create.params, ...changes }, raw: undefined };
}

/** The value of a field, where it is a string. */
export function textField(params: JsonObject, name: string): string | undefined {
  const value: Json | undefined = Object.hasOwn(params, name) ? params[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
