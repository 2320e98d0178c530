/** As much of a body as it takes to see what it is; in bytes. */
const maxSniffedBytes = 64;

/** A field that a stream of events begins with, or a comment. */
const beginsLikeEvents = /^\ufeff?\s*(?:event|data|id|retry)?:/;

/** Can become none of those any more; half of a byte order mark can. */
const beginsOtherwise = /^\ufeff?\s*[^\s:deir\ufffd]/;

export type SniffResult = { name: 'stream'; bytes: Buffer } | { name: 'other' };

/**
 * An answer that was to be a stream of events, and has another content type, or none: SDKs do not look at it, so servers and proxies get it wrong. The
 * body itself tells.
 */
export class ContentSniffer {
  readonly headers: Readonly<Record<string, string>>;
  /** What has come of the body. */
  bytes = Buffer.alloc(0);

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = headers;
  }

  /** undefined until it is seen. */
  add(bytes: Buffer): SniffResult | undefined {
    // A copy: the memory is lent.
    this.bytes = Buffer.concat([this.bytes, bytes]);
    const beginning = this.bytes.toString('utf8', 0, maxSniffedBytes);
    if (beginsLikeEvents.test(beginning)) return { name: 'stream', bytes: this.bytes };
    return this.bytes.length >= maxSniffedBytes || beginsOtherwise.test(beginning) ? { name: 'other' } : undefined;
  }
}
