import type { Probe } from './probe.js';
import type { ProfileName } from './profile.js';

/** The source of a rule, in the words of docs/protocol.md. */
export type Certainty = 'documented' | 'specified' | 'SDK types' | 'observed';

/** A rule that a server of this API should follow. */
export interface Rule {
  /** The name of the chapter, a slash, and the name of the rule. */
  id: string;
  /** Begins with a verb whose subject is the server. */
  title: string;
  certainty: Certainty;
  /** Rules of docs/protocol.md, by their anchors. */
  protocol: readonly [string, ...string[]];
  /** The turns that the rule runs, besides the plain turns that all rules share. @default 0 */
  turns?: number;
  /** The plain turns that the rule looks at. @default none */
  plain?: readonly ('sse' | 'websocket')[];
  /** Profiles to which the rule does not apply, each with the reason. */
  except?: Readonly<Partial<Record<ProfileName, string>>>;
  /** The only profiles to which the rule applies. @default all */
  only?: readonly ProfileName[];
  /** Resolves where the server follows the rule. Throws `Deviation` where it does not, and `NotApplicable` where that cannot be told. */
  run: (probe: Probe) => Promise<void>;
}
