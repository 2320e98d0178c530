/** What all hooks of one point came to. */
export interface HookVerdict {
  /** The first hook that said no, or failed where a failure is a no. */
  blocked: HookReason | undefined;
  /** The first hook that wants the user to be asked. */
  ask: HookReason | undefined;
  /** The first hook that says yes in so many words; it holds where none has failed, blocks or asks. */
  allowed: HookReason | undefined;
  /** The changed arguments of the call. */
  input: unknown;
  /** The hook that changed them last; undefined: they are as they were. */
  changedBy: string | undefined;
  /** What takes the place of what the tool returned; undefined: nothing. */
  response: string | undefined;
  /** What takes the place of a summary by the model; undefined: nothing. */
  summary: string | undefined;
  /** What the model is to be told. */
  context: string[];
  /** What the user is to be told, each a sentence. */
  warnings: string[];
  /** Whether one of them has failed. */
  failed: boolean;
}

export interface HookReason {
  /** The name of the hook, or the beginning of its command. */
  by: string;
  reason: string;
}

/** What nobody has said anything about. */
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
