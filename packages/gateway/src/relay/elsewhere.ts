import type { JsonObject, Relay } from '@turnwire/client/relay';
import type { Principal } from '../upstream/principal.js';
import type { Create } from './create.js';
import type { KnownElsewhere } from './known-elsewhere.js';
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

type Headers = Readonly<Record<string, string>>;

/** The other gateways of a deployment. One that is alone has none. */
export interface Elsewhere {
  /** undefined where there is nothing to ask: what is known here is enough. Never rejects, and takes as long as one deadline. */
  find(sought: Sought): Promise<KnownElsewhere | undefined> | undefined;
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
