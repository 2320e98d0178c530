import { closeSync, openSync, writeSync } from 'node:fs';
import { EmulatorError } from '../base/errors.js';
import { machineTime } from '../base/timers.js';
import { formatVersion, type RecordingEntry, type RecordingHeader } from './format.js';
import { codeOf, isError } from '../base/thrown.js';

/** The upstreams of a recording: one base URL, or several by their names. */
export type RecordedUpstreams = { upstream: string } | { upstreams: Readonly<Record<string, string>> };

/**
 * Writes the file of a recorder. Each line is written whole before the bytes that it describes are passed on, so that the recording can be
 * read however the process ends.
 */
export class RecordingWriter {
  readonly #file: number;
  readonly #began = machineTime();
  /** The error of a line that could not be written. Nothing is written after it, while the relay goes on. */
  failure: Error | undefined;
  #exchanges = 0;
  readonly #onLeftOut: (message: string) => void;

  /**
   * `onLeftOut` is called with a sentence about each body that is left out.
   *
   * @throws EmulatorError if the file exists already or cannot be created
   */
  constructor(path: string, upstreams: RecordedUpstreams, onLeftOut: (message: string) => void = () => undefined) {
    this.#onLeftOut = onLeftOut;
    try {
      this.#file = openSync(path, 'wx', 0o600);
    } catch (error) {
      throw cannotWrite(path, error);
    }
    const header: RecordingHeader = {
      turnwire: 'recording',
      version: formatVersion,
      started: new Date().toISOString(),
      ...upstreams,
    };
    this.#append(header);
  }

  /** Begins an exchange. Returns the function that writes its lines. */
  openExchange(): (entry: RecordingEntry) => void {
    const exchange = (this.#exchanges += 1);
    return (entry) => {
      const { kind, ...rest } = entry;
      const at = Math.round((machineTime() - this.#began) * 10) / 10;
      this.#append({ at, exchange, kind, ...rest });
      if (entry.kind !== 'body' || entry.note === undefined) return;
      const whose = entry.from === 'client' ? 'request' : 'answer';
      this.#onLeftOut(`The body of the ${whose} in exchange ${exchange} is not in the recording: ${entry.note}.`);
    };
  }

  close(): void {
    closeSync(this.#file);
    this.failure ??= new Error('The recording is closed.');
  }

  #append(line: object): void {
    if (this.failure !== undefined) return;
    try {
      writeSync(this.#file, `${JSON.stringify(line)}\n`);
    } catch (error) {
      this.failure = isError(error) ? error : new Error(String(error));
    }
  }
}

function cannotWrite(path: string, error: unknown): EmulatorError {
  const code = codeOf(error);
  const why =
    code === 'EEXIST'
      ? 'it exists already; name another one, or remove it'
      : code === 'ENOENT'
        ? 'its folder does not exist; create it first'
        : `it cannot be created (${String(code ?? error)})`;
  return new EmulatorError('invalid_option', `The recording ${path} cannot be written: ${why}.`, { cause: error });
}
