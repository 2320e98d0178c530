/** Where something stands in a file; both count from 1, columns in UTF-16 code units, as editors do. */
export interface Position {
  line: number;
  column: number;
}

/** One thing that is wrong with a configuration file. */
export interface Problem {
  /** One sentence: what is wrong and what to do. Never holds a secret. */
  message: string;
  /** The file, as it was named by whoever asked for it. */
  file: string;
  /** The keys that lead to the place, as in `models.fast.temperature`; empty for the file as a whole. */
  path: string;
  /** Absent where the file itself could not be read. */
  position?: Position;
}

/** Every problem is told at once; beyond this, it is another kind of file. */
const mostProblems = 100;

/** A configuration that cannot be used. Its message has a line for each problem: `agent.yaml:7:5: unknown key "modle"; …`. */
export class ConfigError extends Error {
  /** All that is wrong, in the order of the file. Never empty. */
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

/** A name from the file, quoted, in one line and not endless. */
export function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function byPosition(a: Problem, b: Problem): number {
  const lines = (a.position?.line ?? 0) - (b.position?.line ?? 0);
  return lines === 0 ? (a.position?.column ?? 0) - (b.position?.column ?? 0) : lines;
}
