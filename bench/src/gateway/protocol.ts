/** The servers of this bench: the scripted upstream, and what stands before it. */
export type Kind = 'upstream' | 'pass-through' | 'gateway' | 'gateway-restore-off' | 'llms';

export interface Setup {
  readonly kind: Kind;
  /** The base of the upstream's API; unused by the upstream itself. */
  readonly upstream: string;
  /** Of a gateway that is one of several: the Redis between them. */
  readonly redis?: string;
}

export interface Usage {
  /** Microseconds, user and system, since the process began. */
  readonly cpuUs: number;
  /** Memory at this moment, in MiB. */
  readonly rssMb: number;
  /** Of requests and frames that the upstream was sent, without heads. */
  readonly receivedBytes: number;
}

/** Each answer has so many events. */
export const eventCount = 42;
/** The model whose answers are paced, and the milliseconds between two of their events. */
export const pacedModel = 'paced';
export const paceMs = 50;
