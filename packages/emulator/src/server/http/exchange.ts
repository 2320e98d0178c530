import type { z } from 'zod';
import { Refusal } from '../../wire/refusal.js';
import { refusalOfIssue } from '../../request/schema-refusal.js';
import type { Tenant } from '../../base/tenant.js';
import type { Engine } from '../../engine/engine.js';
import { isRecord, type Frame } from '../../wire/wire.js';

/** One HTTP request that is not a create, as its endpoint receives it. */
export interface Exchange {
  readonly engine: Engine;
  /** The tenant of the request, whose responses and conversations it may see. */
  readonly tenant: Tenant;
  readonly recordings: string | undefined;
  /** The variable segments of the path, decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Reads and parses the body; undefined for a request without one. Rejects with a Refusal if the body is not JSON. */
  body(): Promise<unknown>;
  /** Answers with an event stream instead of one JSON value. */
  stream(frames: AsyncIterable<Frame> | Iterable<Frame>): Promise<void>;
}

/** Answers an exchange: returns the value for a JSON answer with status 200, or undefined if it has streamed. */
export type Endpoint = (exchange: Exchange) => unknown;

/** The checked body. A missing body counts as an empty object. @throws Refusal with the `param` of the first problem */
export async function checkedBody<T extends z.ZodType>(exchange: Exchange, schema: T): Promise<z.output<T>> {
  const body = (await exchange.body()) ?? {};
  if (!isRecord(body)) throw new Refusal('The request body must be a JSON object.', { code: 'invalid_type' });
  const checked = schema.safeParse(body);
  if (!checked.success) throw refusalOfIssue(checked.error.issues[0], [], body);
  return checked.data;
}

/** The n-th variable segment of the path. */
export function segment({ segments }: Exchange, index = 0): string {
  return segments[index] ?? '';
}
