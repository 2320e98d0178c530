/** Why an emulator, a recorder or a link could not be started. The union is closed: a switch over it may be exhaustive. */
export type EmulatorErrorCode =
  | 'invalid_option'
  | 'invalid_script'
  | 'recordings_not_found'
  | 'invalid_recording'
  | 'port_in_use'
  | 'address_not_available';

/**
 * The emulator could not be started as asked. `message` is one sentence that names what is wrong and what to do; it can be shown to
 * users unchanged. A running emulator never throws this error: its errors go to its client, on the wire.
 */
export class EmulatorError extends Error {
  override readonly name: string = 'EmulatorError';
  readonly code: EmulatorErrorCode;

  constructor(code: EmulatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The place of an error in a script file. Lines and columns count from 1, as in editors. A script given as an object has no places. */
export interface ScriptPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The script cannot be read or breaks the rules of `Script`. If the place is known, `message` begins with `FILE:LINE:COLUMN: `. */
export class ScriptError extends EmulatorError {
  override readonly name = 'ScriptError';
  readonly place: ScriptPlace | undefined;
  /** All problems that were found in the file, in its order, in the form of `message`, which is one of them. */
  readonly problems: readonly string[];

  constructor(message: string, place?: ScriptPlace, options: ErrorOptions & { problems?: readonly string[] } = {}) {
    const { problems, ...others } = options;
    const placed = atPlace(message, place);
    super('invalid_script', placed, others);
    this.place = place;
    this.problems = problems ?? [placed];
  }
}

/** A message with the place of what it says before it. */
export function atPlace(message: string, place: ScriptPlace | undefined): string {
  return place === undefined ? message : `${place.file}:${place.line}:${place.column}: ${message}`;
}
