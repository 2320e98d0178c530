import { createRequire } from 'node:module';

// Node 21 and 22.0 to 22.2 do not have the function; the others do not take the way around it, which programs bundled as CommonJS do not have.
const builtins = process as { getBuiltinModule?: (id: string) => unknown };

/** Loads a module of Node when it is needed, and not with this library. */
export function builtin(id: `node:${string}`): unknown {
  return builtins.getBuiltinModule?.(id) ?? createRequire(import.meta.url)(id);
}
