import type { Probe } from './probe.js';
import type { ProfileName } from './profile.js';

/** Where a rule comes from; the words of docs/protocol.md. */
export type Certainty = 'documented' | 'specified' | 'SDK types' | 'observed';

/** One thing that a server of this API does. */
export interface Rule {
  /** The name of its chapter, a slash, and its own. */
  id: string;
  /** Begins with a verb whose subject is the server. */
  title: string;
  certainty: Certainty;
  /** Rules of docs/protocol.md, by their anchors. */
  protocol: readonly [string, ...string[]];
  /** Turns of a model that it asks for, beside the plain ones that all rules share. @default 0 */
  turns?: number;
  /** Plain turns that it looks at. @default none */
  plain?: readonly ('sse' | 'websocket')[];
  /** Profiles that are not held to it, and why. */
  except?: Readonly<Partial<Record<ProfileName, string>>>;
  /** The only profiles that are held to it. @default all */
  only?: readonly ProfileName[];
  /** Resolves where the server is as it should be. Throws `Deviation` where it is not, and `NotApplicable` where that cannot be said. */
  run: (probe: Probe) => Promise<void>;
}
