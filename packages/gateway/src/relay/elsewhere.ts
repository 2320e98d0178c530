import type { JsonObject, Relay } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { Create } from './create.js';
import type { KnownElsewhere } from './known-elsewhere.js';
import type { GatewayTurn } from './turn.js';

/** A turn whose chain another gateway may know or hold. */
export interface Sought {
  principal: Principal;
  /** The request as the client sent it. */
  asked: Create;
  /** The fields to send to the upstream. */
  params: JsonObject;
  relay: Relay;
  /** True where this gateway holds the context of the response that the request names. */
  isHeld: boolean;
}

type Headers = Readonly<Record<string, string>>;

/** The other gateways of a deployment. A gateway without a cluster has no such object. */
export interface Elsewhere {
  /** Looks up the turn's chain. undefined, instead of a promise, when this gateway knows enough itself. Never rejects, and takes one deadline at most. */
  find(sought: Sought): Promise<KnownElsewhere | undefined> | undefined;
  /** Headers of a request, changed for the upstream. */
  headersUp(headers: Headers): Headers;
  /** Headers of an answer, changed for the client. */
  headersDown(headers: Headers, request: Headers): Headers;
  /** The remaining wait that the upstream has asked any gateway for, in milliseconds; 0 for none. */
  restMs(principal: Principal, params: JsonObject): number;
  /** Called when the upstream has refused a turn. */
  refused(turn: GatewayTurn, refusal: { status: number; headers: Headers }): void;
  /** Called when a turn was read to its end, so that the other gateways can continue it. */
  read(turn: GatewayTurn): void;
}
