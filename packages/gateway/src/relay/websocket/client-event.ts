import { Refusal } from '../../base/refusal.js';
import { readCreate } from '../create.js';
import type { JsonObject, RelayBodies } from '@turnwire/client/relay';
import type { Create } from '../create.js';

/** A message of a client on its WebSocket. */
export type ClientEvent =
  | { name: 'create'; create: Create; streamId: unknown }
  | { name: 'steer'; params: JsonObject }
  | { name: 'interrupt'; params: JsonObject; text: string }
  | { name: 'inject'; params: JsonObject; text: string }
  /** A message that the gateway drops. */
  | { name: 'ignored' };

/** @throws Refusal for a message that is no event of a client */
export function readClientEvent(bodies: RelayBodies, raw: Buffer): ClientEvent {
  const create = readCreate(bodies, [raw]);
  const { params } = create;
  const { type } = params;
  switch (type) {
    case 'response.create':
      return { name: 'create', create: { ...create, raw: undefined }, streamId: params['stream_id'] };
    case 'response.steer':
      return { name: 'steer', params };
    case 'response.interrupt':
      return { name: 'interrupt', params, text: raw.toString() };
    case 'response.inject':
      return { name: 'inject', params, text: raw.toString() };
    case 'response.processed':
      return { name: 'ignored' };
    default:
      throw new Refusal(
        `a message must have the type response.create, response.steer, response.inject or response.interrupt, not ${JSON.stringify(type ?? null).slice(0, 200)}`,
        { code: 'invalid_event_type', param: 'type' },
      );
  }
}

const laneName = /^[\w.-]{1,256}$/;

/** The name of a lane; undefined for the default lane. @throws Refusal for an invalid name */
export function checkStreamId(streamId: unknown): string | undefined {
  if (streamId === undefined || streamId === null) return undefined;
  if (typeof streamId === 'string' && laneName.test(streamId)) return streamId;
  throw new Refusal('stream_id must have 1 to 256 letters, digits, dots, dashes and underscores', {
    code: 'invalid_stream_id',
    param: 'stream_id',
  });
}
