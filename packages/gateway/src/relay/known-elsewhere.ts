import type { KnownResponse } from '@turnwire/client/relay';
import type { Lease } from '../upstream/relays.js';
import type { Create } from './create.js';

/** The result of a look-up: what other gateways know of the chain that a turn continues. */
export interface KnownElsewhere {
  /** A stored response at the upstream that the turn can continue. */
  continues?: KnownResponse | undefined;
  /** The longest context of this gateway that begins the input: the items after its end are new here. */
  own?: KnownResponse | undefined;
  /** Call it when the upstream does not know the response to continue. */
  forget?: (() => void) | undefined;
  /** A relay to the gateway that has the chain on a socket and has agreed to take the turn. Call `returned` where it has not taken the turn after all. */
  node?: { lease: Lease; asked: Create; returned: () => void } | undefined;
  /** The lease of the chain, to be handed back when the turn has ended. */
  lease?: object | undefined;
}
