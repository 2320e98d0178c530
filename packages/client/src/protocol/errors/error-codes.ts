/**
 * Every way in which this library fails. A closed list: `docs/errors.md` explains each code, and a test compares the two.
 *
 * @remarks Ask `error.code`, never `error.message`; what the server called it stands in `error.server.code`.
 */
export const errorCodes = [
  'aborted',
  'chain_ignored',
  'chain_lost',
  'client_closed',
  'connection_lost',
  'credential_failed',
  'dial_failed',
  'dial_timeout',
  'event_too_large',
  'first_event_timeout',
  'idle_timeout',
  'invalid_option',
  'invalid_request',
  'missing_api_key',
  'protocol_error',
  'proxy_failed',
  'queue_timeout',
  'request_refused',
  'request_too_large',
  'response_cancelled',
  'response_failed',
  'successor_timeout',
  'turn_already_read',
  'unread_overflow',
  'unread_timeout',
  'upgrade_refused',
] as const;

export type ErrorCode = (typeof errorCodes)[number];
