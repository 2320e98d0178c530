import { reachableHost } from './listener/host.js';
import { BackgroundJobs } from './memory/background.js';
import { Behaviour } from './sources/behaviour.js';
import type { Bill } from './journal/bill.js';
import { realClock } from './base/clock.js';
import { Conversations } from './memory/conversations.js';
import { dialectTable } from './wire/dialect.js';
import { echo } from './sources/echo.js';
import { EmulatorError } from './base/errors.js';
import type { FaultRule } from './faults/fault-rule.js';
import { Ids } from './wire/ids.js';
import { Journal } from './journal/journal.js';
import { ListedItems } from './memory/listed-item.js';
import { Memory } from './memory/memory.js';
import { checkOptions, checkSettledOptions, type CheckedOptions } from './server/options.js';
import type { EmulatorOptions } from './server/options-type.js';
import { checkRecordings, recorded } from './sources/recordings.js';
import type { Replay } from './replay/replay.js';
import type { Script } from './sources/script/script-type.js';
import { startServer } from './server/server.js';
import type { Engine } from './engine/engine.js';
import { TokenCounter } from './memory/usage.js';
import type { ServedSocket } from './server/websocket.js';

/** The number of connections, turns and responses that a running emulator holds. */
export interface EmulatorState {
  /** The number of open TCP connections, WebSockets included. */
  readonly connections: number;
  readonly webSockets: number;
  /** The number of named lanes of all WebSockets. */
  readonly lanes: number;
  /** The number of turns of WebSockets that run. */
  readonly runningTurns: number;
  /** The number of turns of WebSockets that wait for their lane. */
  readonly queuedTurns: number;
  /** The number of responses that can be continued or fetched, up to `limits.storedResponses`. */
  readonly responses: number;
  /** The bytes of these responses, up to `limits.storedBytes`. */
  readonly responseBytes: number;
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /**
   * The base URL, for the `baseURL` of an SDK or `OPENAI_BASE_URL`: `http://HOST:PORT/v1`, or `https:` with the option `tls`. In the dialect
   * `chatgpt` it ends in `/backend-api/codex`.
   */
  readonly url: string;
  readonly port: number;
  readonly journal: Journal;
  /** The environment variables by which SDKs and tools find the emulator. The value of `OPENAI_API_KEY` is no real key. */
  readonly env: { readonly OPENAI_BASE_URL: string; readonly OPENAI_API_KEY: string };
  /** The sizes of the emulator's stores at this moment, so that a test can check that the stores stay bounded. */
  state(): EmulatorState;
  /**
   * Resolves when no turn runs and the journal has the outcome of each turn. After a client has received an error, its turn may still run here
   * for a moment. A turn that the emulator has not received yet is not awaited.
   *
   * @param options.timeoutMs the time in milliseconds after which the promise rejects with a sentence that names the running turns. @default 5000
   */
  settled(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /**
   * Replaces the script, and the faults that it contains. Running turns are not affected.
   *
   * @param script the path of a YAML file, or its content as an object; undefined: every turn is an echo
   * @throws ScriptError with the place, if the script is not valid; the previous script stays
   */
  script(script?: string | Script): Promise<void>;
  /** Replaces the fault rules of the option `faults`; undefined removes them. The faults of the script stay. @throws ScriptError */
  faults(faults?: string | readonly FaultRule[]): Promise<void>;
  /** The entries of the current script's `turns` that have not answered a request, by their place: `turns[2]`. */
  unusedTurns(): readonly string[];
  /** @throws AssertionError that names the entries of the script that have not answered a request */
  assertScriptUsed(): void;
  /** Resolves when the emulator was closed, by `close` or through the control API. */
  readonly closed: Promise<void>;
  /** Ends everything at once: running turns, sockets, the listener. May be called again. */
  close(): Promise<void>;
}

/** See `start.ts`. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const checked = checkOptions(options);
  refuseTwoSources(checked);
  const behaviour = new Behaviour({ isReplay: checked.replay !== undefined });
  await behaviour.setFaults(checked.faults);
  await behaviour.setScript(checked.script);
  const engine = await prepare(checked, behaviour);
  const { journal } = engine;
  const replay = checked.replay && (await openReplay(checked.replay, engine));

  const controlled = {
    journal,
    behaviour,
    bill: (): Bill => journal.bill(),
    state,
    close: () => close(),
    bodyBytes: checked.limits.bodyBytes,
  };
  const server = await startServer({ engine, replay, control: checked.control ? controlled : undefined }, checked);
  const { promise: closed, resolve: hasClosed } = deferred();
  const close = once(async () => {
    engine.background.close();
    await server.close();
    hasClosed();
  });
  function state(): EmulatorState {
    const { responses, bytes } = engine.memory.size();
    const sum = (of: keyof ServedSocket) => [...server.webSockets].reduce((total, served) => total + served[of], 0);
    return {
      connections: server.connections,
      webSockets: server.webSockets.size,
      lanes: sum('lanes'),
      runningTurns: sum('running'),
      queuedTurns: sum('queued'),
      responses,
      responseBytes: bytes,
    };
  }
  const scheme = checked.tls === undefined ? 'http' : 'https';
  const url = `${scheme}://${reachableHost(checked.host)}:${server.port}${engine.dialect.basePath}`;
  return {
    url,
    port: server.port,
    journal,
    env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'emulator' },
    state,
    settled: async (options = {}) => journal.settled(checkSettledOptions(options).timeoutMs),
    script: (script) => behaviour.setScript(script),
    faults: (faults) => behaviour.setFaults(faults),
    unusedTurns: () => behaviour.unusedTurns(),
    assertScriptUsed: () => behaviour.assertScriptUsed(),
    closed,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function prepare(options: CheckedOptions, behaviour: Behaviour): Promise<Engine> {
  const { models, limits, latency, recordings, seed, clock, dialect, obfuscation, credentials } = options;
  if (recordings !== undefined) await checkRecordings(recordings);
  const ids = new Ids(seed, dialect);
  const listed = new ListedItems(ids);
  return {
    memory: new Memory(limits),
    listed,
    conversations: new Conversations(limits, ids, listed),
    background: new BackgroundJobs(limits.storedBytes),
    models: models && new Set(models),
    journal: new Journal(limits, options.log),
    ids,
    tokens: new TokenCounter(),
    faults: behaviour.faults,
    sources: [recorded(recordings), behaviour.source, echo(dialectTable[dialect])],
    pace: {
      first_token_ms: latency.firstTokenMs,
      tokens_per_second: latency.tokensPerSecond,
      ms_per_1000_uncached_tokens: latency.msPer1000UncachedTokens,
      jitter: latency.jitter,
    },
    clock: 'speed' in clock ? realClock(clock.speed) : clock,
    dialect: dialectTable[dialect],
    obfuscation,
    credentials,
    seed,
  };
}

/** Opens the replay. Its modules are loaded only when needed, because creating the schema of recordings takes longer than a server. */
async function openReplay(options: NonNullable<CheckedOptions['replay']>, { journal, clock }: Engine): Promise<Replay> {
  const [{ loadRecording }, { Replay }] = await Promise.all([
    import('./replay/recording.js'),
    import('./replay/replay.js'),
  ]);
  return new Replay(await loadRecording(options.file, options.upstream), options, journal, clock);
}

/** Refuses a replay beside other sources of answers, which would never be used. */
function refuseTwoSources({ replay, script, recordings }: CheckedOptions): void {
  const other = script !== undefined ? 'script' : recordings !== undefined ? 'recordings' : undefined;
  if (replay === undefined || other === undefined) return;
  const message = `The emulator's options "replay" and "${other}" exclude each other: a replay answers everything itself; leave out one of them.`;
  throw new EmulatorError('invalid_option', message);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
