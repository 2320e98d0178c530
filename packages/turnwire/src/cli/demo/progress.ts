import type { Printer } from '../process/terminal.js';
import type { Setup } from './runs.js';

/** Shows how far each run has come. */
export interface Progress {
  turn(setup: Setup, turn: number, elapsedMs: number): void;
  finished(setup: Setup, turns: number, elapsedMs: number): void;
}

/** Draws a bar for each run on a terminal; elsewhere prints a line when a run begins and when it ends. */
export function progressOn(printer: Printer, expectedTurns: number): Progress {
  const lineOf = (setup: Setup, turns: number, elapsedMs: number): string =>
    `${setup.title.padEnd(20)} ${String(turns).padStart(2)} turns ${seconds(elapsedMs).padStart(7)}`;
  if (!printer.isTerminal) {
    return {
      turn: (setup, turn) => {
        if (turn === 1) printer.line(`${setup.title}: running ...`);
      },
      finished: (setup, turns, elapsedMs) => printer.line(`${setup.title}: ${turns} turns in ${seconds(elapsedMs)}`),
    };
  }
  const draw = (setup: Setup, turns: number, elapsedMs: number): void => {
    const columns = Math.max(5, Math.min(40, printer.width - 45));
    const filled = Math.min(columns, Math.round((turns / expectedTurns) * columns));
    printer.write(
      `\r${lineOf(setup, turns, elapsedMs)} ${printer.style('cyan', '█'.repeat(filled))}${printer.style('dim', '░'.repeat(columns - filled))}`,
    );
  };
  return {
    turn: draw,
    finished: (setup, turns, elapsedMs) => {
      draw(setup, turns, elapsedMs);
      printer.line();
    },
  };
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
