import type { JsonObject, KnownResponse, Relay } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { RelayLease } from '../upstream/relays.js';
import type { Create, Downstream } from './create.js';

/** A turn whose chain another gateway may know, or may have on one of its sockets. */
export interface ChainLookup {
  principal: Principal;
  /** The request as the client sent it. */
  asked: Create;
  /** The fields to send to the upstream. */
  params: JsonObject;
  relay: Relay;
  downstream: Downstream;
  /** True where this gateway has the history of the response that the request names. */
  hasHistory: boolean;
}

/** What other gateways know of the chain that a turn continues. */
export interface ChainLookupResult {
  /** A stored response at the upstream that the turn can continue. */
  stored?: KnownResponse | undefined;
  /** The longest context of this gateway that begins the input: the items after its end are new here. */
  local?: KnownResponse | undefined;
  /** Call it when the upstream does not know `stored`. */
  forget?: (() => void) | undefined;
  /** A relay to the gateway that has the chain on a socket and has agreed to take the turn. Call `returned` where it has not taken the turn after all. */
  peer?: { lease: RelayLease; asked: Create; returned: () => void } | undefined;
  /** The lease of the chain in Redis, to be handed back when the turn has ended. */
  chainLease?: object | undefined;
}
