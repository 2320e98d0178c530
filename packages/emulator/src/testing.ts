import type { Emulator } from './emulator.js';
import { startEmulator } from './start.js';
import { EmulatorError } from './base/errors.js';
import type { EmulatorOptions } from './server/options.js';

type Hook = (run: () => Promise<void>) => unknown;

/** The hooks of a test runner that run before and after the tests of a file or of a `describe`. */
export type TestHooks =
  | { readonly beforeAll: Hook; readonly afterAll: Hook }
  /** The names of `node:test`. */
  | { readonly before: Hook; readonly after: Hook };

export interface UseEmulatorOptions extends EmulatorOptions {
  /**
   * The hooks of the test runner, if they are not globals: `import { beforeAll, afterAll } from 'vitest'`.
   * @default the globals `beforeAll` and `afterAll` (Jest, Vitest with `globals: true`), else `before` and `after` in a run of `node:test`
   */
  readonly hooks?: TestHooks | undefined;
}

/** An emulator that runs during the tests of a file. Its members can be used within tests and hooks. */
export type EmulatorInTests = Omit<Emulator, 'close' | 'closed' | typeof Symbol.asyncDispose>;

/**
 * An emulator for the tests of one file or one `describe`: started before them and closed after them. During the tests, `OPENAI_BASE_URL` and
 * `OPENAI_API_KEY` of this process name the emulator, so that SDKs find it; afterwards the variables have their previous values.
 *
 * @example
 * const emulator = useEmulator();
 * test('says hello', async () => {
 *   await emulator.script({ turns: [{ text: 'Hello.' }] });
 *   // … what is tested …
 *   emulator.assertScriptUsed();
 * });
 *
 * @throws EmulatorError if no hooks are found
 */
export function useEmulator({ hooks = knownHooks(), ...options }: UseEmulatorOptions = {}): EmulatorInTests {
  const [before, after] = 'beforeAll' in hooks ? [hooks.beforeAll, hooks.afterAll] : [hooks.before, hooks.after];
  let running: Emulator | undefined;
  let restore = () => undefined as void;
  before(async () => {
    running = await startEmulator(options);
    restore = setVariables(running.env);
  });
  after(async () => {
    restore();
    await running?.close();
    running = undefined;
  });
  const emulator = (): Emulator => {
    if (running !== undefined) return running;
    const message = 'The emulator of useEmulator() runs while tests do; use it inside of a test or a hook.';
    throw new EmulatorError('invalid_option', message);
  };
  return {
    get url() {
      return emulator().url;
    },
    get port() {
      return emulator().port;
    },
    get journal() {
      return emulator().journal;
    },
    get env() {
      return emulator().env;
    },
    state: () => emulator().state(),
    settled: (limits) => emulator().settled(limits),
    script: (script) => emulator().script(script),
    faults: (faults) => emulator().faults(faults),
    unusedTurns: () => emulator().unusedTurns(),
    assertScriptUsed: () => emulator().assertScriptUsed(),
  };
}

/** Sets environment variables. @returns a function that restores their previous values */
function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
}

function knownHooks(): TestHooks {
  const { beforeAll, afterAll }: Partial<typeof globalThis> & { beforeAll?: unknown; afterAll?: unknown } = globalThis;
  if (isHook(beforeAll) && isHook(afterAll)) return { beforeAll, afterAll };
  // The test runner is looked up here and not imported, so that a program which only starts an emulator does not load it.
  if (process.env['NODE_TEST_CONTEXT'] !== undefined) return process.getBuiltinModule('node:test');
  throw new EmulatorError(
    'invalid_option',
    'useEmulator() finds no beforeAll and afterAll; give it those of your runner: useEmulator({ hooks: { beforeAll, afterAll } }).',
  );
}

function isHook(value: unknown): value is Hook {
  return typeof value === 'function';
}
