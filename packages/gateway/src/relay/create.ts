import { isUtf8 } from 'node:buffer';
import { Refusal } from '../base/refusal.js';
import type { Json, JsonObject, RelayBodies } from '@turnwire/client/relay';

/** A turn that a client asks for. */
export interface Create {
  /** What the upstream is asked for. Nothing of it may be changed: its items are shared with those of earlier requests. */
  readonly params: JsonObject;
  /** The request as it came, where it can go up as it is; undefined where `params` says something else. */
  readonly raw: Buffer | undefined;
  /** What its client has sent, in bytes. */
  readonly bytes: number;
  /** To be called once the answer was read to its end. */
  keep(): void;
}

/** @throws Refusal for what is no JSON object. */
export function readCreate(bodies: RelayBodies, raw: Buffer): Create {
  const body = bodies.read(raw);
  if (body === undefined) throw new Refusal(complaint(raw), { code: 'invalid_json' });
  const { params } = body;
  return { params, raw, bytes: raw.byteLength, keep: () => body.keep() };
}

/** The body of a call over HTTP. */
export function bodyOf({ raw, params }: Create): string | Buffer {
  return raw ?? JSON.stringify(params);
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

/** The same create with other fields. */
export function withParams(create: Create, changes: JsonObject): Create {
  return { ...create, params: { ...create.params, ...changes }, raw: undefined };
}

/** A field of its own, if it is a text. */
export function textField(params: JsonObject, name: string): string | undefined {
  const value: Json | undefined = Object.hasOwn(params, name) ? params[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
