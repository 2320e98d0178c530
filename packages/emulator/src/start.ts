// The functions of the public API. Each loads its module when it is called, so that importing the package costs little.
import type { Emulator } from './emulator.js';
import type { Link, LinkOptions } from './link.js';
import type { EmulatorOptions } from './server/options-type.js';
import type { Recorder, RecorderOptions } from './record/recorder.js';
import type { RecordingSummary } from './replay/summary.js';
import type { TestAuthority } from './test-authority.js';

/**
 * Starts a server that speaks the Responses API: `POST /v1/responses` (SSE, JSON, background), the WebSocket on the same
 * path, stored responses and their input items, compaction, token counts, conversations and models.
 *
 * By default it listens on a free port of 127.0.0.1, takes any key or none, and answers with the texts that it receives. The options
 * `recordings` and `script` give it other answers, in this order. Any number of emulators can run in one process.
 *
 * Not imitated: authentication, rate limits, and the work of hosted tools, whose results a script provides.
 *
 * @throws EmulatorError with a `code`, if an option is wrong, the port is in use or a folder is missing
 * @throws ScriptError with the place, if the script is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await import('./emulator.js');
  return emulator.startEmulator(options);
}

/**
 * Starts a recorder between clients and an upstream. It passes both transports through and writes the traffic to a file, as JSON Lines that
 * `startEmulator({ replay })` serves again.
 *
 * A message or event is passed on right after its line was written. Bodies are streamed, a slow reader slows its writer down, and pings and
 * closes reach the other end. Two things are changed: `accept-encoding` is removed, and compression of WebSocket frames is not offered.
 * Credentials are passed on and never written. Not recorded: pings, the fragments of a message, the chunks of a body.
 *
 * @throws EmulatorError if an option is wrong, the file exists or the port is in use
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const recorder = await import('./record/recorder.js');
  return recorder.startRecorder(options);
}

/**
 * Starts a TCP relay on 127.0.0.1 that simulates a network link. Bytes arrive half a round trip after they were sent. A client sends no faster
 * than the uplink and slow start (`windowBytes`) allow. Delay alone does not limit the throughput (up to 16 MiB in flight). Order is kept, and
 * half-close, reset and backpressure pass through. Node.js sends a FIN before its own reset, so a reset may arrive after a FIN.
 *
 * Not simulated: loss, jitter, and a limited bandwidth from the server to clients.
 *
 * @throws EmulatorError if an option is wrong
 */
export async function startLink(options: LinkOptions): Promise<Link> {
  const link = await import('./link.js');
  return link.startLink(options);
}

/**
 * Reads a recording and counts its turns, without replaying it.
 *
 * @throws EmulatorError for a file that cannot be read or is no recording
 */
export async function summarizeRecording(file: string): Promise<RecordingSummary> {
  const summary = await import('./replay/summary.js');
  return summary.summarizeRecording(file);
}

/**
 * Turns a recording into a script, in YAML, that gives the same answers and can be edited. A part that a script cannot express is left out,
 * with a comment that says so.
 *
 * @param options.upstream the name of the upstream to read, for a recording of several
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
 * Creates an authority that signs certificates for tests of TLS (X.509 v3 as in RFC 5280, ECDSA P-256). Its key is created by each call and
 * exists in memory alone, so that no private key is in a repository and no certificate of a test expires.
 */
export async function createTestAuthority(): Promise<TestAuthority> {
  const authority = await import('./test-authority.js');
  return new authority.TestAuthority();
}
