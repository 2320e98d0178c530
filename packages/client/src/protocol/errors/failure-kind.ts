/**
 * What kind of failure it is, whichever part of this library and whichever server says so: what a program decides by. A closed list:
 * `docs/errors.md` explains each kind, and a test compares the two.
 */
export type FailureKind =
  /** The calling program ended the turn: by its signal, by `cancel()`, by leaving the loop, by closing the client. */
  | 'aborted'
  /** The calling program uses this library wrongly, or does not read what it asked for. */
  | 'misuse'
  /** The credential is missing, wrong, expired or deactivated. */
  | 'auth'
  /** The credential is right, and may not do this. */
  | 'permission'
  /** What was paid for is used up: a quota, credits, the allowance of a plan. Minutes of waiting change nothing. */
  | 'quota'
  /** Too many requests, tokens or dials for now. */
  | 'rate_limit'
  /** The server cannot take the turn just now, and has not begun it. */
  | 'overload'
  /** Another request is in the way: one turn at a time, as a rule. */
  | 'conflict'
  /** The server, or a gateway before it, failed. It may have begun the turn. */
  | 'server'
  /** A limit of time passed: this library's own, or one of a gateway. */
  | 'timeout'
  /** The connection could not be had, or was lost. */
  | 'network'
  /** Host name, certificate, proxy or base URL are wrong: the turn did not run, and does not until they are changed. */
  | 'configuration'
  /** The server does not know this: WebSocket mode, a method, a feature. */
  | 'unsupported'
  /** The model, or something else that the request names, does not exist. */
  | 'not_found'
  /** The request is wrong in itself. */
  | 'invalid_request'
  /** The input has more tokens than the model takes. */
  | 'context_length'
  /** The request has more bytes than the server takes. */
  | 'too_large'
  /** A policy on contents refuses the request or its answer. */
  | 'content_policy'
  /** The response that was to be continued is not known to the server. */
  | 'chain_lost'
  /** This connection takes no further turn: it is too old. */
  | 'connection_limit'
  /** This connection takes no `stream_id`, or no further one. */
  | 'lanes'
  /** The server sent what the protocol does not have. */
  | 'protocol'
  /** The response was cancelled on the server. */
  | 'cancelled'
  /** The server refused, and what it says is not understood. */
  | 'unknown';
