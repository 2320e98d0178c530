/** The servers of this bench: the scripted upstream, and the servers in front of it. */
export type Kind = 'upstream' | 'pass-through' | 'gateway' | 'gateway-restore-off' | 'llms' | 'opencodex';

export interface Setup {
  readonly kind: Kind;
  /** The base URL of the upstream's API; unused by the upstream itself. */
  readonly upstream: string;
  /** The Redis between the nodes, for a gateway of a cluster. */
  readonly redis?: string;
}

export interface Usage {
  /** CPU time in microseconds, user and system, since the process began. */
  readonly cpuUs: number;
  /** The present memory in MiB. */
  readonly rssMb: number;
  /** The bytes of requests and frames that the upstream received, without heads. */
  readonly receivedBytes: number;
}

/** The number of events of each answer. */
export const eventCount = 42;
/** The model with paced answers, and the milliseconds between two of their events. */
export const pacedModel = 'paced';
export const paceMs = 50;
/** The model that pauses behind its first event, and for how many milliseconds. */
export const pausingModel = 'pausing';
export const pauseMs = 3;
