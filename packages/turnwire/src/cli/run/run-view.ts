import { PipedAnswer } from './piped-answer.js';
import { oneLine } from '../screen/text/columns.js';
import { escaped, Printer, printable } from '../process/terminal.js';
import type { AgentEvent, TokenUsage } from '../../agent/events.js';
import type { Io } from '../process/io.js';

/** Shows the events of a run. */
export interface RunView {
  show(event: AgentEvent): void;
}

/** The view of `--json`: every event as one JSON object on a line. */
export function jsonView(io: Io): RunView {
  const stdout = new Printer(io.stdout, io.env);
  return { show: (event) => stdout.line(harmless(JSON.stringify(event))) };
}

/** Escapes DEL and the C1 controls, which JSON need not escape and a terminal would obey. */
function harmless(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/**
 * The view for people. The answer goes to standard output as it streams; reasoning, tool calls and costs go to standard error, so that `turnwire run … >
 * answer.txt` has the answer alone. Where standard output is no terminal, see `PipedAnswer`.
 */
export function textView(io: Io): RunView {
  const answer = new Printer(io.stdout, io.env);
  const notes = new Printer(io.stderr, io.env);
  const piped = new PipedAnswer((text) => answer.write(text), { isFile: io.stdout.isFile === true });
  // A pipe gets the model's text unchanged; on a terminal its control characters are removed.
  const say = (text: string): void => (answer.isTerminal ? answer.write(printable(text)) : piped.put(text));
  // Both outputs share the terminal, where a note must not begin in the middle of a line of the answer.
  let open: 'nothing' | 'answer' | 'reasoning' | 'task' = 'nothing';
  const closeLine = (): void => {
    if (open === 'answer') say('\n');
    if (open === 'reasoning' || open === 'task') notes.line();
    open = 'nothing';
  };
  const note = (text: string): void => {
    closeLine();
    notes.line(text);
  };
  let total: TokenUsage | undefined;
  let turns = { count: 0, transport: '' };
  let cost: number | undefined;
  // The agents that were given a task, innermost last. They answer the agent that gave it, not the user.
  const at: string[] = [];
  return {
    show(event) {
      switch (event.type) {
        case 'agent_choice':
          if (at.length > 0) {
            if (open !== 'task') closeLine();
            open = 'task';
            return notes.write(printable(event.content));
          }
          if (open === 'reasoning' || open === 'task') closeLine();
          open = 'answer';
          return say(event.content);
        case 'agent_choice_reasoning':
          if (open === 'answer' || open === 'task') closeLine();
          open = 'reasoning';
          return notes.write(notes.style('dim', printable(event.content)));
        case 'tool_call':
          return note(
            `${notes.style('cyan', '→')} ${notes.style('bold', oneLine(event.tool_call.name, notes.width))} ${oneLine(event.tool_call.arguments, notes.width - event.tool_call.name.length - 4)}`,
          );
        case 'tool_call_changed':
          return note(`  ${notes.style('cyan', '↻')} ${oneLine(changed(event), notes.width - 5)}`);
        case 'tool_call_response': {
          const mark = event.outcome === 'done' ? notes.style('green', '✓') : notes.style('red', '✗');
          return note(`  ${mark} ${notes.style('dim', oneLine(result(event), notes.width - 5))}`);
        }
        case 'turn_finished':
          turns = { count: turns.count + 1, transport: event.transport };
          return piped.ended();
        case 'turn_retried':
        case 'model_fallback':
        case 'session_compaction':
          // In a pipe the next attempt may go on in the same line.
          if (answer.isTerminal || open === 'reasoning') closeLine();
          open = 'nothing';
          piped.again();
          return note(`turnwire: ${remark(event)}`);
        case 'token_usage':
          total = event.total;
          cost = event.total_cost;
          return;
        case 'stream_started':
          turns = { count: 0, transport: '' };
          return;
        case 'plan_ready':
          return note(`${printable(event.plan)}\n${escaped(event.path)}`);
        case 'agent_switching':
          if (event.reason === 'transfer_task') at.push(event.to);
          if (event.reason === 'return') at.pop();
          return note(`${notes.style('cyan', '⇒')} ${oneLine(event.to, notes.width - 2)}`);
        case 'stream_stopped':
          closeLine();
          piped.ended();
          if (turns.count > 0)
            notes.line(
              notes.style(
                'dim',
                `${summary(turns)}${total === undefined ? '' : tokens(total)}${cost === undefined ? '' : `, $${cost.toFixed(4)}`}`,
              ),
            );
          return;
        default: {
          // Events without a remark are shown by --json alone.
          const text = remark(event);
          return text === undefined ? undefined : note(`turnwire: ${text}`);
        }
      }
    },
  };
}

/** The sentence for people about an event that is not the agent's own work; undefined: none. */
export function remark(event: AgentEvent): string | undefined {
  switch (event.type) {
    case 'turn_retried':
      return `${event.model} failed${event.partial ? ' in the middle of its answer, which it begins anew' : ''}: ${escaped(event.reason)}; attempt ${event.attempt} in ${(event.wait_ms / 1000).toFixed(1)} s`;
    case 'model_fallback':
      return `${event.from} failed${event.partial ? ' in the middle of its answer, which does not count' : ''}: ${escaped(event.reason)}; going on with ${event.to}`;
    case 'session_compaction':
      return `the conversation had become too long, and was summed up (${event.items_before} items, now ${event.items_after})`;
    case 'session_title':
      return `this conversation is called: ${escaped(event.title)}`;
    case 'recalled':
      return escaped(event.message.split('\n', 1)[0] ?? '');
    case 'warning':
      return escaped(event.message);
    default:
      return undefined;
  }
}

/** The sentence for people about a call that a hook has changed. */
export function changed({ by, tool_call: call }: Extract<AgentEvent, { type: 'tool_call_changed' }>): string {
  return `${by} changed it to ${call.name} ${call.arguments}`;
}

/** The sentence for people about the result of a call. */
export function result(event: Extract<AgentEvent, { type: 'tool_call_response' }>): string {
  if (event.outcome === 'done') return `${(event.duration_ms / 1000).toFixed(1)} s, ${countLines(event.response)}`;
  // The exit status of a command stands behind its output.
  const [, ending] = /\n\[([^\n\]]+)\]$/.exec(event.response) ?? [];
  if (ending !== undefined) return `${event.outcome}: ${ending}, ${countLines(event.response)}`;
  // The word "Error: " is for the model; people see the outcome.
  return `${event.outcome}: ${event.response.replace(/^Error: /, '')}`;
}

function summary({ count, transport }: { count: number; transport: string }): string {
  return `${count} ${count === 1 ? 'turn' : 'turns'} over ${transport}`;
}

function tokens({ input_tokens, cached_tokens, output_tokens }: TokenUsage): string {
  return `, ${input_tokens} tokens in (${cached_tokens} cached), ${output_tokens} out`;
}

function countLines(text: string): string {
  if (text === '') return 'no output';
  const lines = text.trimEnd().split('\n').length;
  return `${lines} ${lines === 1 ? 'line' : 'lines'}`;
}
