/** What a command refuses to begin with, as a sentence that says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
