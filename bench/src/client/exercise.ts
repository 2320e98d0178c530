import type { Answer } from '../server/answer.js';

/** An exercise of a client's process, with what it measures. */
export type Exercise =
  /** Conversations that send turn after turn for a time. Measures the CPU of an event. */
  | { kind: 'events'; answer: Answer; conversations: number; warmUpMs: number; measureMs: number }
  /** All conversations send a turn at the same moment, again and again. Measures the time to the first event. */
  | { kind: 'burst'; answer: Answer; conversations: number; warmUpMs: number; measureMs: number }
  /** Tool loops, each of `turns` turns that add `resultBytes`. Measures CPU, time, and the last turn against the first. */
  | { kind: 'loop'; answer: Answer; turns: number; resultBytes: number; warmUpLoops: number; loops: number }
  /** A turn, a pause, a turn. Measures the time to the first event of the second. */
  | { kind: 'pause'; answer: Answer; pauseMs: number }
  /** Connections that have each carried one turn, opened at once and then idle. Measures memory and time. */
  | { kind: 'connections'; answer: Answer; connections: number }
  /** Turns with a history of `historyBytes`, among `chains` remembered ones with the same beginning. Measures the cost of finding the new part. */
  | {
      kind: 'delta';
      answer: Answer;
      historyBytes: number;
      newBytes: number;
      sharedBytes: number;
      chains: number;
      turns: number;
    }
  /** The import of the client's package, in a process that has loaded nothing else of it. Measures the time. */
  | { kind: 'import' }
  /** The download and the installation of the client's package. Nothing runs. */
  | { kind: 'package' };

/** Values by the name of their metric. */
export type Measured = Readonly<Record<string, number>>;

/** The exercise of one kind. */
export type ExerciseOf<Kind> = Extract<Exercise, { kind: Kind }>;

/** The number of conversations that an exercise needs at the same time. */
export function conversationsOf(exercise: Exercise): number {
  if (exercise.kind === 'connections') return exercise.connections;
  return 'conversations' in exercise ? exercise.conversations : 1;
}
