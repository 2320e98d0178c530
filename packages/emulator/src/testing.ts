import type { Emulator } from './emulator.js';
import { startEmulator } from './start.js';
import { EmulatorError } from './base/errors.js';
import type { EmulatorOptions } from './server/options-type.js';

type Hook = (run: () => Promise<void>) => unknown;

/** The hooks of a test runner that run before and after the tests of a file or of a `describe`. */
export type TestHooks =
  | { readonly beforeAll: Hook; readonly afterAll: Hook }
  /** The names of `node:test` and Mocha. */
  | { readonly before: Hook; readonly after: Hook };

export interface UseEmulatorOptions extends EmulatorOptions {
  /**
   * The hooks of the test runner, if they are not globals: `import { beforeAll, afterAll } from 'vitest'`.
   * @default the globals `beforeAll` and `afterAll` (Jest, Vitest with `globals: true`) or `before` and `after` (Mocha), else those of `node:test`
   * in a file that has imported it
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
  const [before, after] = checkedHooks(hooks);
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

/** The values that the environment variables of an emulator had before it set them. */
interface SavedVariables {
  values: readonly (readonly [name: string, value: string | undefined])[];
}

/** The emulators that have set their variables, in the order in which they started. */
const started: SavedVariables[] = [];

/**
 * Sets environment variables. @returns a function that restores their previous values. Emulators may end in any order: where a later one has set
 * the variables again, the values go to it, to be restored when it ends.
 */
function setVariables(variables: Readonly<Record<string, string>>): () => void {
  const saved: SavedVariables = { values: Object.keys(variables).map((name) => [name, process.env[name]] as const) };
  started.push(saved);
  Object.assign(process.env, variables);
  return () => {
    const index = started.indexOf(saved);
    if (index === -1) return;
    started.splice(index, 1);
    const later = started[index];
    if (later === undefined) setOrDelete(saved.values);
    else later.values = saved.values;
  };
}

function setOrDelete(values: SavedVariables['values']): void {
  for (const [name, value] of values) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}

function knownHooks(): TestHooks {
  const { beforeAll, afterAll, before, after }: Partial<Record<string, unknown>> = globalThis;
  if (isHook(beforeAll) && isHook(afterAll)) return { beforeAll, afterAll };
  if (isHook(before) && isHook(after)) return { before, after };
  // The test runner is looked up here and not imported, so that a program which only starts an emulator does not load it.
  if (runsNodeTest()) return process.getBuiltinModule('node:test');
  throw invalidHooks('finds no beforeAll and afterAll');
}

/** True under `node --test`, and for a file with tests of `node:test` that is run by itself: its import of `node:test` comes first. */
function runsNodeTest(): boolean {
  // Node.js lists the modules of its own that are loaded; its types leave the list out.
  const { moduleLoadList = [] } = process as { readonly moduleLoadList?: readonly string[] };
  return process.env['NODE_TEST_CONTEXT'] !== undefined || moduleLoadList.includes('NativeModule test');
}

function checkedHooks(hooks: Partial<Record<string, unknown>>): readonly [before: Hook, after: Hook] {
  const { beforeAll, afterAll, before = beforeAll, after = afterAll } = Object(hooks) as typeof hooks;
  if (isHook(before) && isHook(after)) return [before, after];
  throw invalidHooks('is given hooks that are not two functions');
}

function invalidHooks(why: string): EmulatorError {
  const message = `useEmulator() ${why}; give it those of your runner: useEmulator({ hooks: { beforeAll, afterAll } }).`;
  return new EmulatorError('invalid_option', message);
}

function isHook(value: unknown): value is Hook {
  return typeof value === 'function';
}
