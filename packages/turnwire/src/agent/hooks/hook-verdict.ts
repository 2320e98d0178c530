/** The joint result of all hooks of one point. */
export interface HookVerdict {
  /** The first hook that refused, or that failed where a failure refuses. */
  blocked: HookReason | undefined;
  /** The first hook that wants the user to be asked. */
  ask: HookReason | undefined;
  /** The first hook that explicitly allows the call. It counts only where no hook has failed, refused or asked. */
  allowed: HookReason | undefined;
  /** The changed arguments of the call. */
  input: unknown;
  /** The hook that last changed the arguments; undefined: they are unchanged. */
  changedBy: string | undefined;
  /** The text that replaces the output of the tool; undefined: none. */
  response: string | undefined;
  /** The summary that replaces one by the model; undefined: none. */
  summary: string | undefined;
  /** Texts for the model. */
  context: string[];
  /** Sentences for the user. */
  warnings: string[];
  /** True where a hook has failed. */
  failed: boolean;
}

export interface HookReason {
  /** The name of the hook, or the beginning of its command. */
  by: string;
  reason: string;
}

/** The verdict before any hook has run. */
export function noVerdict(input?: unknown): HookVerdict {
  return {
    blocked: undefined,
    ask: undefined,
    allowed: undefined,
    input,
    changedBy: undefined,
    response: undefined,
    summary: undefined,
    context: [],
    warnings: [],
    failed: false,
  };
}
