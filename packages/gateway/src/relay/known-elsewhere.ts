import type { KnownResponse } from '@turnwire/client/relay';
import type { Lease } from '../upstream/relays.js';
import type { Create } from './create.js';

/** What another gateway has told of the chain that a turn continues. */
export interface KnownElsewhere {
  /** A response at the upstream. */
  continues?: KnownResponse | undefined;
  /** The longest context of this gateway's own that begins the input: what stands after it is new here. */
  own?: KnownResponse | undefined;
  /** The upstream does not know it. */
  forget?: (() => void) | undefined;
  /** The way to the gateway whose socket has the chain, which has agreed to take the turn. `returned` is called where it has not taken it after all. */
  node?: { lease: Lease; asked: Create; returned: () => void } | undefined;
  /** Anything that is to be told again when the turn has ended. */
  lease?: object | undefined;
}
