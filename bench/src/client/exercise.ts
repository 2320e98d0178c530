import type { Answer } from '../server/answer.js';

/** What a client's process is told to do, and what it measures there. */
export type Exercise =
  /** Conversations that ask turn after turn, for a time: CPU per event. */
  | { kind: 'events'; answer: Answer; conversations: number; warmUpMs: number; measureMs: number }
  /** All conversations ask at once, again and again: time to first event. */
  | { kind: 'burst'; answer: Answer; conversations: number; warmUpMs: number; measureMs: number }
  /** Tool loops, each of `turns` turns that bring `resultBytes` more: CPU, time, and how the last turn compares to the first. */
  | { kind: 'loop'; answer: Answer; turns: number; resultBytes: number; warmUpLoops: number; loops: number }
  /** A turn, a pause, a turn: time to first event of the second. */
  | { kind: 'pause'; answer: Answer; pauseMs: number }
  /** Connections that have each carried one turn, opened at once and then idle. */
  | { kind: 'connections'; answer: Answer; connections: number }
  /** Turns whose history has `historyBytes`, among `chains` remembered ones that begin alike: what it costs to find what is new. */
  | {
      kind: 'delta';
      answer: Answer;
      historyBytes: number;
      newBytes: number;
      sharedBytes: number;
      chains: number;
      turns: number;
    }
  /** The import of the client's package, in a process that has loaded nothing else of it. */
  | { kind: 'import' }
  /** What one downloads and installs; nothing runs. */
  | { kind: 'package' };

/** Values by the name of their metric. */
export type Measured = Readonly<Record<string, number>>;

/** The exercise of one kind. */
export type ExerciseOf<Kind> = Extract<Exercise, { kind: Kind }>;

/** Each exercise says how many conversations its client has to have room for. */
export function conversationsOf(exercise: Exercise): number {
  if (exercise.kind === 'connections') return exercise.connections;
  return 'conversations' in exercise ? exercise.conversations : 1;
}
