type Fetch = typeof globalThis.fetch | undefined;

const atStart: Fetch = globalThis.fetch;

/** `globalThis.fetch` is not the runtime's: a test mocks it, or something observes it. `own` is a fetch of ours, which may stand there, too. */
export function isFetchReplaced(own?: Fetch): boolean {
  const now: Fetch = globalThis.fetch;
  if (now === undefined || now === own) return false;
  // What was replaced before this module was loaded shows in its text: those of Node, Bun and Deno begin like this.
  return now !== atStart || !/^(?:async )?function fetch\(/.test(Function.prototype.toString.call(now));
}

/** @param remedy what to do where turns should pass through it. */
export function replacedFetchWarning(remedy: string): string {
  return `turnwire: globalThis.fetch was replaced, as tests and tracers do, and turns go around it: where they should not, ${remedy} (docs/fetch.md)`;
}
