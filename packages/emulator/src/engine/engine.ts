import type { Clock } from '../base/clock.js';
import type { credentialRules } from '../base/tenant.js';
import type { Faults } from '../faults/rule.js';
import type { Journal } from '../journal/journal.js';
import type { BackgroundJobs } from '../memory/background.js';
import type { Conversations } from '../memory/conversations.js';
import type { ListedItems } from '../memory/listed-item.js';
import type { Memory } from '../memory/memory.js';
import type { TokenCounter } from '../memory/usage.js';
import type { Source } from '../sources/answer.js';
import type { Pace } from '../sources/script/script.js';
import type { Dialect } from '../wire/dialect.js';
import type { Ids } from '../wire/ids.js';

/** The memory, the sources of answers and the settings that all turns of one emulator share. */
export interface Engine {
  readonly memory: Memory;
  readonly conversations: Conversations;
  readonly listed: ListedItems;
  readonly background: BackgroundJobs;
  /** The models that the emulator knows; undefined: any model. */
  readonly models: ReadonlySet<string> | undefined;
  readonly journal: Journal;
  readonly ids: Ids;
  readonly tokens: TokenCounter;
  /** The sources of answers, which are asked in this order. The last one always answers. */
  readonly sources: readonly Source[];
  /** The rules by which faults are chosen. */
  readonly faults: Faults;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly dialect: Dialect;
  /** Whether deltas are padded if the request does not say so (P28). */
  readonly obfuscation: boolean;
  /** `separate`: a credential finds only its own responses and conversations. `shared`: all credentials find all of them. */
  readonly credentials: (typeof credentialRules)[number];
  /** The seed of the jitter. */
  readonly seed: string | number;
}
