import type { AgentEvent, ToolCall } from '../../agent/events.js';
import { changed, remark, result } from '../run-view.js';
import { oneLine } from '../columns.js';
import { escaped, printable, type Printer } from '../terminal.js';
import { MarkdownStream, type Styler } from './markdown.js';
import type { Screen } from './screen.js';
import { wrapped } from './wrap.js';

/** What stays of a run on the screen: the answer with its Markdown rendered, reasoning, a line for each call, and what else people are told. */
export class Transcript {
  readonly #style: Styler;
  readonly #screen: Screen;
  readonly #text: MarkdownStream;
  #thought = '';
  readonly #calls = new Map<string, { call: ToolCall; since: number }>();
  /** Who was given a task: it answers the agent, not the user. */
  readonly #tasks: string[] = [];

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
      case 'agent_choice_reasoning':
        if (event.type === 'agent_choice' && this.#tasks.length === 0) {
          this.#flushThought();
          this.#text.push(printable(event.content));
          this.#screen.print(this.#text.finished(columns));
        } else {
          this.#flushText();
          this.#thought += printable(event.content);
        }
        break;
      case 'tool_call':
        this.flush();
        this.#calls.set(event.tool_call.id, { call: event.tool_call, since: performance.now() });
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
        break;
      }
      case 'agent_switching':
        if (event.reason === 'transfer_task') this.#tasks.push(event.to);
        this.flush();
        if (event.reason === 'return') this.#tasks.pop();
        this.#screen.print([`${style('cyan', '⇒')} ${oneLine(event.to, columns - 2)}`]);
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

  /** What has grown so far is finished. */
  flush(): void {
    this.#flushThought();
    this.#flushText();
  }

  #flushText(): void {
    this.#screen.print(this.#text.end(this.#screen.columns));
  }

  #flushThought(): void {
    if (this.#thought.trim() !== '') this.#screen.print(this.#thoughts(this.#screen.columns));
    this.#thought = '';
  }

  #thoughts(width: number): string[] {
    return wrapped(this.#thought.trim(), width).map((line) => this.#style('dim', line));
  }

  /** A line about what happens. */
  note(text: string): void {
    this.flush();
    this.#screen.print(wrapped(this.#style('dim', escaped(text)), this.#screen.columns));
  }

  /** What is not finished yet: text, and calls that run. */
  growing(width: number): string[] {
    const calls = [...this.#calls.values()].map(({ call, since }) =>
      oneLine(`→ ${Math.floor((performance.now() - since) / 1000)} s ${call.name} ${call.arguments}`, width),
    );
    return [...(this.#thought === '' ? this.#text.growing(width) : this.#thoughts(width)), ...calls];
  }

  /** The run is over, however it ended. */
  end(): void {
    this.flush();
    this.#calls.clear();
    this.#tasks.length = 0;
  }
}
