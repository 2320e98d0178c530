// The public API of @turnwire/client/relay: turns for a program that stands between clients and the service, such as a gateway.
export { createRelay } from './relay.js';
export type { Relay, RelayOptions, RelayPlan, RelayTurnOptions } from './relay.js';
export { ContextDigests } from '../continuation/context-digests.js';
export type { ContextEnd, HeldContext } from '../continuation/context-digests.js';
export type { KnownResponse } from '../turn/attempt/frame-options.js';
export { RelayBodies, bodyText } from './bodies.js';
export type { RelayBody } from './bodies.js';
export type { RelayEvent } from './event.js';
export type { RelayAnswer, RelayOpening, RelayRefusal, RelayTurn } from './turn.js';
export { sseText, withStreamId } from './text.js';
export { memberOf } from '../json/json-scan.js';
export type { Span } from '../json/json-scan.js';
export type { Json, JsonObject } from '../json/json.js';
