import type { AgentEvent, ToolCall } from '../../agent/events.js';
import { changed, remark, result } from '../run/run-view.js';
import { oneLine } from './text/columns.js';
import { escaped, printable, type Printer } from '../process/terminal.js';
import { MarkdownStream, rendered, type Styler } from './text/markdown.js';
import type { Screen } from './screen.js';
import { cut, wrapped } from './text/wrap.js';

/** Of one result that is unfolded, in lines: its beginning. */
const mostLines = 200;
/** So many results are kept, to be unfolded. */
const mostResults = 20;

/** A call that runs; the clock of one that waits for the user stands still. */
interface Running {
  call: ToolCall;
  since: number | undefined;
}

/** What grows: the answer, what an agent answers that was given a task, or reasoning. */
type Part = 'answer' | 'task' | 'thought';

/** What stays of a run on the screen: the answer with its Markdown rendered, reasoning, a line for each call, and what else people are told. */
export class Transcript {
  readonly #style: Styler;
  readonly #screen: Screen;
  readonly #text: MarkdownStream;
  #part: Part = 'answer';
  readonly #calls = new Map<string, Running>();
  /** Who was given a task: it answers the agent, not the user. */
  readonly #tasks: string[] = [];
  /** What calls returned, the last one last. */
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

  /** What has grown so far is finished. */
  flush(): void {
    this.#screen.print(this.#set(this.#text.end(this.#width(this.#screen.columns))));
    this.#part = 'answer';
  }

  /** What another agent says and thinks has a bar before it, and reasoning is dim: neither can be taken for the answer. */
  #set(lines: readonly string[]): string[] {
    const told = this.#part === 'thought' ? lines.map((line) => this.#dim(line)) : lines;
    return this.#isOfTask ? told.map((line) => `${this.#style('cyan', '│')} ${line}`.trimEnd()) : [...told];
  }

  get #isOfTask(): boolean {
    return this.#part === 'task' || (this.#part === 'thought' && this.#tasks.length > 0);
  }

  /** The end of bold text is the end of dim text, too. */
  #dim(line: string): string {
    return this.#style('dim', line.replaceAll('\u001b[22m', '\u001b[22m\u001b[2m'));
  }

  #width(columns: number): number {
    return this.#isOfTask ? Math.max(8, columns - 2) : columns;
  }

  /** A line about what happens. */
  note(text: string): void {
    this.flush();
    this.#screen.print(wrapped(escaped(text), this.#screen.columns).map((line) => this.#style('dim', line)));
  }

  /** Results of tools are shown from now on, those of the last calls at once; or no more. */
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

  /** The user has answered: the clock of the call that waited for it runs. */
  answered({ id }: ToolCall): void {
    const running = this.#calls.get(id);
    if (running !== undefined) running.since ??= performance.now();
  }

  /** What is not finished yet: text, and calls that run. */
  growing(width: number): string[] {
    const calls = [...this.#calls.values()].map(({ call, since }) => {
      const time = since === undefined ? 'asks' : `${Math.floor((performance.now() - since) / 1000)} s`;
      return oneLine(`→ ${time} ${call.name} ${call.arguments}`, width);
    });
    return [...this.#set(this.#text.growing(this.#width(width))), ...calls];
  }

  /** The run is over, however it ended. */
  end(): void {
    this.flush();
    this.#calls.clear();
    this.#tasks.length = 0;
  }
}
