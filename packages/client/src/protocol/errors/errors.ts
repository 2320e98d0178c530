import { hasNotRun, isTransient, failureKindOf } from './failure.js';
import { retryAfterMsOf } from './retry-after.js';
import type { Phase } from '../phase.js';
import type { ErrorCode } from './error-codes.js';
import type { FailureKind } from './failure-kind.js';
import type { ServerError } from './server-error.js';

export interface TurnwireErrorOptions {
  phase?: Phase;
  /** @default what the tables of failures say of everything else that is given */
  kind?: FailureKind;
  /** @default as `kind` */
  retryable?: boolean;
  /** @default what `server` says */
  retryAfterMs?: number | undefined;
  responseId?: string | undefined;
  closeCode?: number | undefined;
  closeReason?: string | undefined;
  status?: number | undefined;
  server?: ServerError | undefined;
  cause?: unknown;
}

/** On every instance, whichever copy of this module made it. */
const brand = Symbol.for('@turnwire/client.TurnwireError');

/**
 * The one error class of this library; `code` says which failure it is.
 *
 * @remarks `instanceof` holds across copies too: of the ES module and the CommonJS one, where a program loads both.
 */
export class TurnwireError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass inherits this function, and means its own instances.
    if (this !== TurnwireError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && brand in value;
  }

  readonly code: ErrorCode;
  /** How far the turn got. `queued` also for errors outside any turn. */
  readonly phase: Phase;
  /** What kind of failure it is, whoever says so: what to decide by. `docs/errors.md` explains each. */
  readonly kind: FailureKind;
  /**
   * Whether the cause may pass by itself, whatever became of this turn: where a turn has no effects but its answer, asking again can help.
   */
  readonly transient: boolean;
  /**
   * Whether the same turn may be tried again without doing it twice: true only where the server certainly did not run it and the
   * cause may pass by itself. This library has then already done what its own recovery allows.
   */
  readonly retryable: boolean;
  /** How long the server asks to wait before the next try, in milliseconds, wherever it says so: headers, fields or a sentence. */
  readonly retryAfterMs: number | undefined;
  /** The response the server had begun, where it had. */
  readonly responseId: string | undefined;
  /** The WebSocket close code, where the connection was closed by one. */
  readonly closeCode: number | undefined;
  readonly closeReason: string | undefined;
  /** The HTTP status: of the answer, of the upgrade, or the one named in an error frame. */
  readonly status: number | undefined;
  /** What the server said, uniform and verbatim. */
  readonly server: ServerError | undefined;

  constructor(code: ErrorCode, message: string, options: TurnwireErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // What fetch and Node's own APIs call it: callers that tell an abort from a failure ask for this name.
    this.name = code === 'aborted' ? 'AbortError' : 'TurnwireError';
    this.code = code;
    this.phase = options.phase ?? 'queued';
    this.kind = options.kind ?? failureKindOf(code, options);
    this.transient = isTransient(code, this.kind, options.server);
    this.retryable = options.retryable ?? isRetryable(this, options.server);
    this.retryAfterMs = options.retryAfterMs ?? retryAfterMsOf(options.server, Date.now());
    this.responseId = options.responseId;
    this.closeCode = options.closeCode;
    this.closeReason = options.closeReason;
    this.status = options.status;
    this.server = options.server;
  }
}

Object.defineProperty(TurnwireError.prototype, brand, { value: true });

/** The error, with what only the turn knows: how far it was, and the response it had begun. For errors made for this turn alone. */
export function addTurnContext(error: TurnwireError, phase: Phase, responseId: string | undefined): TurnwireError {
  const located = Object.assign(error, { phase, responseId: error.responseId ?? responseId });
  // Never more than before: what an earlier attempt may have done counts, too.
  return Object.assign(located, { retryable: located.retryable && isRetryable(located, located.server) });
}

function isRetryable(
  { code, kind, phase, transient }: Pick<TurnwireError, 'code' | 'kind' | 'phase' | 'transient'>,
  server: ServerError | undefined,
): boolean {
  return transient && hasNotRun(code, kind, { server, phase });
}
