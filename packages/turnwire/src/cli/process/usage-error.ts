/** Thrown where a command cannot begin; the message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
