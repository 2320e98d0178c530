import { types } from 'node:util';

/** True for an error, also for one of Node.js within Jest, whose tests have a global `Error` of their own: `instanceof` does not know it there. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

/** The message of a thrown value: that of an error, and the text of anything else. */
export function messageOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown);
}

/** The `code` of an error of Node.js; undefined for any other thrown value. */
export function codeOf(thrown: unknown): string | undefined {
  return isError(thrown) && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
