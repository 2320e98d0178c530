import pino from 'pino';
import type { TurnRecord } from '../relay/turn-record.js';

/** The destination of log lines. */
export interface LogOutput {
  write(line: string): unknown;
}

/** Writes one JSON line for each turn. */
export class TurnLog {
  readonly #log: pino.Logger;

  constructor(output: LogOutput) {
    this.#log = pino(
      { base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
      { write: (line) => void output.write(line) },
    );
  }

  settled(record: TurnRecord): void {
    this.#log.info(record, 'turn');
  }
}
