import { reachableHost } from './listener/access.js';
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
import { checkOptions, type CheckedOptions, type EmulatorOptions } from './server/options.js';
import { checkRecordings, recorded } from './sources/recordings.js';
import type { Replay } from './replay/replay.js';
import type { Script } from './sources/script/script-type.js';
import { startServer } from './server/server.js';
import type { Engine } from './engine/engine.js';
import { TokenCounter } from './memory/usage.js';
import type { ServedSocket } from './server/websocket.js';

/** What a running emulator holds. */
export interface EmulatorState {
  /** Open TCP connections, WebSockets included. */
  readonly connections: number;
  readonly webSockets: number;
  /** Names of lanes in use on them; a default lane has none. */
  readonly lanes: number;
  /** Turns of WebSockets that run, and that wait for a lane. */
  readonly runningTurns: number;
  readonly queuedTurns: number;
  /** Responses kept to be continued or fetched, up to `limits.storedResponses` and `limits.storedBytes`. */
  readonly responses: number;
  readonly responseBytes: number;
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /**
   * `http://HOST:PORT/v1`, or `https:` with the option `tls`: what an SDK's `baseURL` or `OPENAI_BASE_URL` takes. Of the dialect `chatgpt` it ends
   * in `/backend-api/codex`.
   */
  readonly url: string;
  readonly port: number;
  readonly journal: Journal;
  /** The variables by which SDKs and tools find it: `OPENAI_BASE_URL`, and an `OPENAI_API_KEY` that is none. */
  readonly env: { readonly OPENAI_BASE_URL: string; readonly OPENAI_API_KEY: string };
  /** What it holds at this moment, to see that it stays bounded. */
  state(): EmulatorState;
  /**
   * Resolves when no turn runs and the journal has the outcome of each: after a client has seen an error, its turn may still be
   * ending here. Turns that have not arrived yet are not waited for.
   *
   * @param options.timeoutMs rejects after so many milliseconds with a sentence that names the turns that run. @default 5000
   */
  settled(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /**
   * Answers with another script from now on, or with none. Its faults take the place of those of the script before. Turns that run go on
   * as they began.
   *
   * @param script a path of a YAML file, or what it would hold; undefined: every turn is an echo
   * @throws ScriptError with the place, if the script is wrong; the one before stays
   */
  script(script?: string | Script): Promise<void>;
  /** Breaks other things from now on, in place of the option `faults`; undefined: nothing but what the script says. @throws ScriptError */
  faults(faults?: string | readonly FaultRule[]): Promise<void>;
  /** Entries of `turns` of the current script that have answered nothing yet, by their place: `turns[2]`. */
  unusedTurns(): readonly string[];
  /** @throws AssertionError that names the entries of the script that have answered nothing */
  assertScriptUsed(): void;
  /** Resolves when it has been closed, be it by `close` or through the control API. */
  readonly closed: Promise<void>;
  /** Ends everything at once: running turns, sockets, the listener. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a server that speaks the Responses API: `POST /v1/responses` (SSE, JSON, background), the WebSocket on the same
 * path, stored responses and their input items, compaction, token counts, conversations and models.
 *
 * By default it listens on a free port of 127.0.0.1, takes any key or none, and repeats what it is told. `recordings` and
 * `script` give it other answers, in this order. Any number can run in one process.
 *
 * Not imitated: authentication, rate limits, what hosted tools do (a script says what they found).
 *
 * @throws EmulatorError with a `code`, if an option is wrong, the port is in use or a folder is missing
 * @throws ScriptError with the place, if the script is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const checked = checkOptions(options);
  refuseTwoSources(checked);
  const behaviour = new Behaviour();
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
    settled: ({ timeoutMs = 5000 } = {}) => journal.settled(timeoutMs),
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

/** Loaded when there is one: the schema of recordings takes longer to make than a server. */
async function openReplay(options: NonNullable<CheckedOptions['replay']>, { journal, clock }: Engine): Promise<Replay> {
  const [{ loadRecording }, { Replay }] = await Promise.all([
    import('./replay/recording.js'),
    import('./replay/replay.js'),
  ]);
  return new Replay(await loadRecording(options.file, options.upstream), options, journal, clock);
}

/** A recording answers everything, so nothing else would ever be asked. */
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
