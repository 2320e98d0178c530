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

/** What all turns of one emulator share. */
export interface Engine {
  readonly memory: Memory;
  readonly conversations: Conversations;
  readonly listed: ListedItems;
  readonly background: BackgroundJobs;
  /** The models that are answered; any if undefined. */
  readonly models: ReadonlySet<string> | undefined;
  readonly journal: Journal;
  readonly ids: Ids;
  readonly tokens: TokenCounter;
  /** Asked in order; the last one always answers. */
  readonly sources: readonly Source[];
  /** What is broken on purpose. */
  readonly faults: Faults;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly dialect: Dialect;
  /** Whether deltas are padded where the request does not say (P28). */
  readonly obfuscation: boolean;
  /** Whether each credential sees its own responses and conversations only. */
  readonly credentials: (typeof credentialRules)[number];
  /** What `jitter` is drawn from. */
  readonly seed: string | number;
}
