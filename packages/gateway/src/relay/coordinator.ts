import type { JsonObject } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { ChainLookup, ChainLookupResult } from './chain-lookup.js';
import type { GatewayTurn } from './turn.js';

type Headers = Readonly<Record<string, string>>;

/** Coordinates a turn with the other gateways of a deployment. A gateway that is not part of a cluster has no coordinator. */
export interface Coordinator {
  /** Looks up the turn's chain. undefined, instead of a promise, when this gateway knows enough itself. Never rejects, and takes one deadline at most. */
  findChain(lookup: ChainLookup): Promise<ChainLookupResult | undefined> | undefined;
  /** Headers of a request, changed for the upstream. */
  upstreamHeaders(headers: Headers): Headers;
  /** Headers of an answer, changed for the client. */
  downstreamHeaders(headers: Headers, request: Headers): Headers;
  /** The remaining wait that the upstream has asked any gateway for, in milliseconds; 0 for none. */
  backoffMs(principal: Principal, params: JsonObject): number;
  /** Called when the upstream has refused a turn. */
  onRefused(turn: GatewayTurn, refusal: { status: number; headers: Headers }): void;
  /** Called when a turn was read to its end, so that the other gateways can continue it. */
  onRead(turn: GatewayTurn): void;
}
