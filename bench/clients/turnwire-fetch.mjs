// turnwire's fetch, for the SDKs and bare. Each request names its own address and key.
import { createFetch } from '@turnwire/client/fetch';

export function turnwireFetch({ conversations }) {
  return createFetch({ transport: 'websocket', pool: { maxConnections: conversations } });
}
