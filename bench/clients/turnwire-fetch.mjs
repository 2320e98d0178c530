// turnwire's fetch, for the SDKs and bare. Where a request goes, and with which key, each request says itself.
import { createFetch } from '@turnwire/client/fetch';

export function turnwireFetch({ conversations }) {
  return createFetch({ transport: 'websocket', pool: { maxConnections: conversations } });
}
