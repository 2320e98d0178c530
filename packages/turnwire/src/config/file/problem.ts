/** A position in a file. Line and column count from 1, columns in UTF-16 code units, as in editors. */
export interface Position {
  line: number;
  column: number;
}

/** One mistake of a configuration file. */
export interface Problem {
  /** One sentence: what is wrong and what to do. Never holds a secret. */
  message: string;
  /** The name of the file, as the user gave it. */
  file: string;
  /** The keys that lead to the mistake, as in `models.fast.temperature`; empty for the file as a whole. */
  path: string;
  /** The position of the mistake; missing where the file could not be read. */
  position?: Position;
}

/** The most problems in one message. A file with more is probably not an agent file. */
const mostProblems = 100;

/** Thrown for a configuration that cannot be used. Its message has a line for each problem: `agent.yaml:7:5: unknown key "modle"; …`. */
export class ConfigError extends Error {
  /** Every problem, in the order of the file. Never empty. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    const sorted = [...problems].sort(byPosition);
    const lines = sorted.slice(0, mostProblems).map(formatProblem);
    if (sorted.length > mostProblems) lines.push(`… and ${sorted.length - mostProblems} more problems`);
    super(lines.join('\n'), options);
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}

/** A problem in one line, in the form that editors and terminals make clickable. */
function formatProblem({ file, message, position }: Problem): string {
  return position === undefined ? `${file}: ${message}` : `${file}:${position.line}:${position.column}: ${message}`;
}

/** A name from the file in quotes, on one line, and cut where it is long. */
export function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function byPosition(a: Problem, b: Problem): number {
  const lines = (a.position?.line ?? 0) - (b.position?.line ?? 0);
  return lines === 0 ? (a.position?.column ?? 0) - (b.position?.column ?? 0) : lines;
}
