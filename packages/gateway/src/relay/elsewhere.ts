import type { JsonObject, KnownResponse, Relay } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { Lease } from '../upstream/relays.js';
import type { Create } from './create.js';
import type { GatewayTurn } from './turn.js';

/** A turn that may continue what another gateway knows, or has. */
export interface Sought {
  principal: Principal;
  /** As the client has sent it. */
  asked: Create;
  /** As it goes to the upstream. */
  params: JsonObject;
  relay: Relay;
  /** What the response held that the create names, is known here. */
  isHeld: boolean;
}

/** What another gateway has told of the chain that a turn continues. */
export interface Found {
  /** A response at the upstream. */
  continues?: KnownResponse | undefined;
  /** The longest context of this gateway's own that begins the input: what stands after it is new here. */
  own?: KnownResponse | undefined;
  /** The upstream does not know it. */
  forget?: (() => void) | undefined;
  /** The way to the gateway whose socket has the chain, which has agreed to take the turn. */
  node?: { lease: Lease; asked: Create } | undefined;
  /** Anything that is to be told again when the turn has ended. */
  lease?: object | undefined;
}

type Headers = Readonly<Record<string, string>>;

/** The other gateways of a deployment. One that is alone has none. */
export interface Elsewhere {
  /** undefined where there is nothing to ask: what is known here is enough. Never rejects, and takes as long as one deadline. */
  find(sought: Sought): Promise<Found | undefined> | undefined;
  /** The headers of a request, as the upstream is to have them. */
  headersUp(headers: Headers): Headers;
  /** The headers of an answer, as the client is to have them. */
  headersDown(headers: Headers, request: Headers): Headers;
  /** How long the upstream has asked to wait, whichever gateway it has told; in milliseconds, 0 for not at all. */
  restMs(principal: Principal, params: JsonObject): number;
  /** The upstream has refused a turn. */
  refused(turn: GatewayTurn, refusal: { status: number; headers: Headers }): void;
  /** A turn was read to its end: what it has led to is told to the others. */
  read(turn: GatewayTurn): void;
}
