// What can be started. Each is loaded when it is started: an import of this package alone costs next to nothing.
import type { Emulator } from './emulator.js';
import type { Link, LinkOptions } from './link.js';
import type { EmulatorOptions } from './server/options.js';
import type { Recorder, RecorderOptions } from './record/recorder.js';
import type { RecordingSummary } from './replay/summary.js';
import type { TestAuthority } from './test-authority.js';

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
  const emulator = await import('./emulator.js');
  return emulator.startEmulator(options);
}

/**
 * Stands between a client and an upstream, passes both transports through as they come, and writes down what it saw, as
 * JSON Lines that `startEmulator({ replay })` serves back.
 *
 * A message or event is passed on right after its line has been written. Bodies stream, a slow reader slows its writer
 * down, pings and closes travel end to end. Two things are changed on the way: `accept-encoding` is left out, and
 * compression of WebSocket frames is not offered. Credentials are passed on and never written. Not
 * recorded: pings, the fragments of a message, the chunks of a body.
 *
 * @throws EmulatorError if an option is wrong, the file exists or the port is in use
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const recorder = await import('./record/recorder.js');
  return recorder.startRecorder(options);
}

/**
 * A TCP relay on 127.0.0.1 that stands for a link: bytes arrive half a round trip after they left, and leave a client no
 * faster than the uplink allows, nor faster than slow start does (`windowBytes`). Delay alone does not limit the throughput (up to 16 MiB
 * under way), order is kept, and half-close, reset and backpressure pass through. Node sends an end before its own reset, so a reset may arrive as
 * an end that a reset follows.
 *
 * Not simulated: loss, jitter, a limit on the way down.
 *
 * @throws EmulatorError if an option is wrong
 */
export async function startLink(options: LinkOptions): Promise<Link> {
  const link = await import('./link.js');
  return link.startLink(options);
}

/**
 * Reads a recording without playing it.
 *
 * @throws EmulatorError for a file that cannot be read or is no recording
 */
export async function summarizeRecording(file: string): Promise<RecordingSummary> {
  const summary = await import('./replay/summary.js');
  return summary.summarizeRecording(file);
}

/**
 * Makes a script, in YAML, of a recording: it answers what the recording answers, and can be edited. What a script has no words for is left
 * out, with a comment that says so.
 *
 * @param options.upstream of a recording of several upstreams: which one
 * @throws EmulatorError for a file that cannot be read or is no recording
 */
export async function scriptFromRecording(
  file: string,
  options: { readonly upstream?: string | undefined } = {},
): Promise<string> {
  const made = await import('./authoring/to-script.js');
  return made.scriptOf(file, options.upstream);
}

/**
 * An authority that signs certificates for tests of TLS (X.509 v3 as in RFC 5280, ECDSA P-256). Its key is made when it is called and lives
 * in memory alone: no private key in a repository, and no day on which tests begin to fail.
 */
export async function createTestAuthority(): Promise<TestAuthority> {
  const authority = await import('./test-authority.js');
  return new authority.TestAuthority();
}
