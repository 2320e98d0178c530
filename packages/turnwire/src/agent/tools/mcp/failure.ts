/**
 * The fate of a request without a result. `refused`: it did not run, since it was not sent, or was refused unread. `connection_lost`: it did not run, since
 * the server has ended or does not know the session any more; it may be sent again over a new connection. `unanswered`: it was sent and got no answer, so it
 * may have run. `answered`: the server answered with an error. `unreadable`: the server's answer cannot be read, so the request may have run.
 */
export type FailureKind = 'refused' | 'connection_lost' | 'unanswered' | 'answered' | 'unreadable';

/** A request to an MCP server that has no result, in one sentence that names the cause. */
export class McpFailure extends Error {
  override readonly name = 'McpFailure';
  readonly kind: FailureKind;
  /** The HTTP status of the answer, where there was one. */
  readonly status: number | undefined;

  constructor(kind: FailureKind, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.kind = kind;
    this.status = options.status;
  }

  /** True where the request may have run. */
  get mayHaveRun(): boolean {
    return this.kind === 'unanswered' || this.kind === 'unreadable';
  }
}

/** The innermost cause of an error, with its code: libraries wrap the message of the operating system in "fetch failed". */
export function causeOf(error: unknown): string {
  for (let at: unknown = error; ;) {
    // A host with several addresses has a cause for each; the first one is shown.
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

/** The failure of a request without an answer within so many milliseconds. */
export function unansweredWithin(ms: number): McpFailure {
  const time = ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} seconds`;
  return new McpFailure('unanswered', `it did not answer within ${time}`);
}
