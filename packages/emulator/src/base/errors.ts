/** Why an emulator or a link could not be started. Closed: a switch over it may be exhaustive. */
export type EmulatorErrorCode =
  | 'invalid_option'
  | 'invalid_script'
  | 'recordings_not_found'
  | 'invalid_recording'
  | 'port_in_use'
  | 'address_not_available';

/**
 * The emulator could not be started as asked. `message` is one sentence that names what is wrong and what to do; it is
 * meant to be shown as it stands. Errors of a running emulator never come this way: they go to its client, on the wire.
 */
export class EmulatorError extends Error {
  override readonly name: string = 'EmulatorError';
  readonly code: EmulatorErrorCode;

  constructor(code: EmulatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Where in a script something is wrong: 1-based, as editors count. A script given as an object has no place. */
export interface ScriptPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A script that cannot be read or breaks the rules of `Script`. `message` begins with `FILE:LINE:COLUMN: ` where known. */
export class ScriptError extends EmulatorError {
  override readonly name = 'ScriptError';
  readonly place: ScriptPlace | undefined;

  constructor(message: string, place?: ScriptPlace, options?: ErrorOptions) {
    super(
      'invalid_script',
      place === undefined ? message : `${place.file}:${place.line}:${place.column}: ${message}`,
      options,
    );
    this.place = place;
  }
}
