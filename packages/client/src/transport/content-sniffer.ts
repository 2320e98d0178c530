import { maxSniffedBytes } from '../base/bounds.js';

/** An event stream begins with a field or a comment. */
const beginsLikeEvents = /^\ufeff?\s*(?:event|data|id|retry)?:/;

/** A beginning that cannot become an event stream any more. Half of a byte order mark still can. */
const beginsOtherwise = /^\ufeff?\s*[^\s:deir\ufffd]/;

export type SniffResult = { name: 'stream'; bytes: Buffer } | { name: 'other' };

/**
 * Finds out whether a body is an event stream although its content type is another one, or missing: SDKs ignore the type, so servers and proxies get it
 * wrong.
 */
export class ContentSniffer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body so far. */
  bytes = Buffer.alloc(0);

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    this.status = status;
    this.headers = headers;
  }

  /** undefined until the body is long enough to tell. */
  add(bytes: Buffer): SniffResult | undefined {
    // A copy: the memory is lent.
    this.bytes = Buffer.concat([this.bytes, bytes]);
    const beginning = this.bytes.toString('utf8', 0, maxSniffedBytes);
    if (beginsLikeEvents.test(beginning)) return { name: 'stream', bytes: this.bytes };
    return this.bytes.length >= maxSniffedBytes || beginsOtherwise.test(beginning) ? { name: 'other' } : undefined;
  }
}
