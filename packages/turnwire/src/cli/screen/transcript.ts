import type { AgentEvent, ToolCall } from '../../agent/events.js';
import { changed, remark, result } from '../run/run-view.js';
import { oneLine } from './text/columns.js';
import { escaped, printable, type Printer } from '../process/terminal.js';
import { MarkdownStream, rendered, type Styler } from './text/markdown.js';
import type { Screen } from './screen.js';
import { cut, wrapped } from './text/wrap.js';

/** The most lines of an unfolded result; further ones are left out. */
const mostLines = 200;
/** The most results that are kept for unfolding. */
const mostResults = 20;

/** A running call. Its clock stands still while it waits for the user. */
interface Running {
  call: ToolCall;
  since: number | undefined;
}

/** The text that is growing: the answer, the answer of an agent with a task, or reasoning. */
type Part = 'answer' | 'task' | 'thought';

/** The lines of a run that stay on the screen: the answer as rendered Markdown, reasoning, a line for each call, and remarks. */
export class Transcript {
  readonly #style: Styler;
  readonly #screen: Screen;
  readonly #text: MarkdownStream;
  #part: Part = 'answer';
  readonly #calls = new Map<string, Running>();
  /** The agents that were given a task, innermost last. They answer the agent that gave it, not the user. */
  readonly #tasks: string[] = [];
  /** The results of calls, newest last. */
  #results: { call: string; text: string }[] = [];
  #unfolded = false;

  constructor(printer: Printer, screen: Screen) {
    this.#style = printer.style.bind(printer);
    this.#screen = screen;
    this.#text = new MarkdownStream(this.#style);
  }

  show(event: AgentEvent): void {
    const style = this.#style;
    const { columns } = this.#screen;
    switch (event.type) {
      case 'agent_choice':
        this.#grow(this.#tasks.length === 0 ? 'answer' : 'task', event.content);
        break;
      case 'agent_choice_reasoning':
        this.#grow('thought', event.content);
        break;
      case 'tool_call':
        this.flush();
        this.#calls.set(event.tool_call.id, { call: event.tool_call, since: performance.now() });
        break;
      case 'tool_call_confirmation':
        this.#calls.set(event.tool_call.id, { call: event.tool_call, since: undefined });
        break;
      case 'tool_call_changed': {
        const { since = performance.now() } = this.#calls.get(event.tool_call.id) ?? {};
        this.#calls.set(event.tool_call.id, { call: event.tool_call, since });
        this.note(changed(event));
        break;
      }
      case 'tool_call_response': {
        this.#calls.delete(event.tool_call.id);
        this.flush();
        const good = event.outcome === 'done';
        const what = oneLine(result(event), Math.floor((columns - 2) * (good ? 0.4 : 0.7)));
        const call = oneLine(`${event.tool_call.name} ${event.tool_call.arguments}`, columns - what.length - 5);
        const mark = good ? style('green', '✓') : style('red', '✗');
        this.#screen.print([`${mark} ${call}${style('dim', ` · ${what}`)}`]);
        this.#results = [...this.#results, { call, text: event.response }].slice(-mostResults);
        if (this.#unfolded) this.#screen.print(this.#lines(event.response));
        break;
      }
      case 'agent_switching':
        this.flush();
        if (event.reason === 'transfer_task') this.#tasks.push(event.to);
        if (event.reason === 'return') this.#tasks.pop();
        this.#screen.print([`${style('cyan', '⇒')} ${oneLine(event.to, columns - 2)}`]);
        break;
      case 'plan_ready':
        this.flush();
        this.#screen.print([...rendered(event.plan, style, columns), style('dim', escaped(event.path))]);
        break;
      case 'stream_stopped':
      case 'turn_finished':
        this.flush();
        break;
      default: {
        const text = remark(event);
        if (text !== undefined) this.note(text);
      }
    }
    this.#screen.refresh();
  }

  #grow(part: Part, text: string): void {
    if (part !== this.#part) this.flush();
    this.#part = part;
    const { columns } = this.#screen;
    this.#text.push(printable(text));
    this.#screen.print(this.#set(this.#text.finished(this.#width(columns))));
  }

  /** Finishes the text that has been growing. */
  flush(): void {
    this.#screen.print(this.#set(this.#text.end(this.#width(this.#screen.columns))));
    this.#part = 'answer';
  }

  /** Marks text that is not the answer: text of other agents gets a bar before it, and reasoning is dim. */
  #set(lines: readonly string[]): string[] {
    const told = this.#part === 'thought' ? lines.map((line) => this.#dim(line)) : lines;
    return this.#isOfTask ? told.map((line) => `${this.#style('cyan', '│')} ${line}`.trimEnd()) : [...told];
  }

  get #isOfTask(): boolean {
    return this.#part === 'task' || (this.#part === 'thought' && this.#tasks.length > 0);
  }

  /** Dims a line. The escape that ends bold text also ends dim text, so dim is set again after it. */
  #dim(line: string): string {
    return this.#style('dim', line.replaceAll('\u001b[22m', '\u001b[22m\u001b[2m'));
  }

  #width(columns: number): number {
    return this.#isOfTask ? Math.max(8, columns - 2) : columns;
  }

  /** Prints a line about an event. */
  note(text: string): void {
    this.flush();
    this.#screen.print(wrapped(escaped(text), this.#screen.columns).map((line) => this.#style('dim', line)));
  }

  /** Unfolds the results of tools, beginning with those of the last calls; or folds them again. */
  unfold(): void {
    this.#unfolded = !this.#unfolded;
    this.flush();
    if (!this.#unfolded) return this.note('results are folded');
    for (const { call, text } of this.#results) this.#screen.print([this.#style('dim', call), ...this.#lines(text)]);
    this.#results = [];
    this.note('results are unfolded; Ctrl-O folds them');
  }

  #lines(text: string): string[] {
    const lines = escaped(text).replaceAll('\t', '    ').split('\n');
    const rest = lines.length - mostLines;
    const shown = lines.slice(0, mostLines).flatMap((line) => cut(line, Math.max(1, this.#screen.columns - 2)));
    return [...shown, ...(rest > 0 ? [`… ${rest} more lines`] : [])].map((line) => this.#style('dim', `  ${line}`));
  }

  /** Starts the clock of a call again: the user has answered its question. */
  answered({ id }: ToolCall): void {
    const running = this.#calls.get(id);
    if (running !== undefined) running.since ??= performance.now();
  }

  /** The unfinished lines: growing text, and running calls. */
  growing(width: number): string[] {
    const calls = [...this.#calls.values()].map(({ call, since }) => {
      const time = since === undefined ? 'asks' : `${Math.floor((performance.now() - since) / 1000)} s`;
      return oneLine(`→ ${time} ${call.name} ${call.arguments}`, width);
    });
    return [...this.#set(this.#text.growing(this.#width(width))), ...calls];
  }

  /** Ends the run. */
  end(): void {
    this.flush();
    this.#calls.clear();
    this.#tasks.length = 0;
  }
}
