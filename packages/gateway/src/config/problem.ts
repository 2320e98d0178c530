/** A position in a file; line and column count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** One mistake of a configuration, with its position. */
export interface Problem {
  /** One sentence: what is wrong and what to do. Never holds a secret. */
  message: string;
  /** The file, or `the options`. */
  file: string;
  /** The keys that lead to the mistake, as in `limits.body_bytes`; empty for the whole configuration. */
  path: string;
  position?: Position | undefined;
}

/** Thrown for a configuration that cannot be used. The message has a line for each problem: `gateway.yaml:7:5: …`. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(lineOf).join('\n'), options);
    this.problems = problems;
  }
}

function lineOf({ file, path, message, position }: Problem): string {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
