// The public API of @turnwire/client, as a table of contents.
export { createClient } from './turn/client.js';
export type { Client, ClientStats } from './turn/client.js';
export type { TurnOptions } from './turn/turn-options.js';
export type { Conversation } from './turn/conversation.js';
export type { SteerAnswer, SteerInput } from './response/steering.js';
export type { Turn } from './turn/turn.js';
export type { Attempt, TurnReport } from './turn/report.js';
export type { Outcome } from './protocol/terminal.js';
export type { DiagnosticEvent, DiagnosticMessages } from './diagnostics.js';
export { TurnwireError } from './protocol/errors/errors.js';
export { errorCodes } from './protocol/errors/error-codes.js';
export type { FailureKind } from './protocol/errors/failure-kind.js';
export type { TurnwireErrorOptions } from './protocol/errors/errors.js';
export type { ErrorCode } from './protocol/errors/error-codes.js';
export type { Phase } from './protocol/phase.js';
export type { ServerError } from './protocol/errors/server-error.js';
export type { ForeignTurnParams, TurnParams } from './protocol/request.js';
export type { Response, Usage } from './protocol/response.js';
export type * from './protocol/items.js';
export type * from './protocol/events.js';
export type {
  ChainOptions,
  ClientOptions,
  NetworkOptions,
  PoolOptions,
  RecoveryOptions,
  ReplayPolicy,
  TimeoutOptions,
  TransportChoice,
} from './options.js';
