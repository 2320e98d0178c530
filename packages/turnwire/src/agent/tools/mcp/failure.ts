/**
 * What became of a request that has no result.
 *
 * - `refused`: it did not run: it was not sent, or was turned away unread;
 * - `connection_lost`: it did not run, because the server has ended or does not know the session any more: over a new connection it may be sent again;
 * - `unanswered`: it was sent, and no answer came: it may have run;
 * - `answered`: the server answered with an error;
 * - `unreadable`: the server answered, and nothing of its answer can be understood: it may have run.
 */
export type FailureKind = 'refused' | 'connection_lost' | 'unanswered' | 'answered' | 'unreadable';

/** A request to an MCP server that has no result, in one sentence that names the cause. */
export class McpFailure extends Error {
  override readonly name = 'McpFailure';
  readonly kind: FailureKind;
  /** Of the answer over HTTP that told so. */
  readonly status: number | undefined;

  constructor(kind: FailureKind, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.kind = kind;
    this.status = options.status;
  }

  /** The request may have run, and nobody knows. */
  get mayHaveRun(): boolean {
    return this.kind === 'unanswered' || this.kind === 'unreadable';
  }
}

/** The innermost reason of an error, with its code: libraries wrap what the operating system says in "fetch failed". */
export function causeOf(error: unknown): string {
  for (let at: unknown = error; ;) {
    // Of a host with several addresses, one reason for each.
    const [first] = at instanceof AggregateError ? (at.errors as unknown[]) : [];
    const inner = first ?? (at instanceof Error ? at.cause : undefined);
    if (inner === undefined || inner === null) return sentence(at);
    at = inner;
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const named = typeof code !== 'string' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
  return isCertificateProblem(code) ? `${named}; trust its certificate by NODE_EXTRA_CA_CERTS` : named;
}

function isCertificateProblem(code: unknown): boolean {
  return typeof code === 'string' && /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_UNTRUSTED/.test(code);
}

/** That no answer came within so many milliseconds. */
export function unansweredWithin(ms: number): McpFailure {
  const time = ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} seconds`;
  return new McpFailure('unanswered', `it did not answer within ${time}`);
}
