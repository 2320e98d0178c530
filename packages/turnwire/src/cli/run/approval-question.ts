import type { Answer, Approver, Question } from '../../agent/calls/approval.js';
import type { ToolCall } from '../../agent/events.js';
import type { Preview } from '../../agent/tools/tool.js';
import { oneLine } from '../screen/text/columns.js';
import { wrapped } from '../screen/text/wrap.js';
import { escaped, type Printer } from '../process/terminal.js';

/** Shows a text and asks for one line behind a label; undefined when there is no more input. */
export type AskLine = (text: string, label: string, signal: AbortSignal) => Promise<string | undefined>;

/** An approver that asks the user to type an answer. A line that is no answer neither runs nor declines the call: the question is asked again. */
export function approverBy(askLine: AskLine, printer: Printer): Approver {
  return {
    async approve(call, asked) {
      const label = `${printer.style('bold', '[y]es, [n]o, [a]lways in this session, or no and a reason?')} `;
      let text = questionText(printer, call, asked);
      for (;;) {
        const line = await askLine(text, label, asked.signal);
        if (line === undefined) return 'no';
        const answer = readAnswer(line);
        if (answer !== undefined) return answer;
        text = noAnswer(line, printer);
      }
    },
  };
}

const words: Readonly<Record<string, Answer>> = {
  y: 'yes',
  yes: 'yes',
  n: 'no',
  no: 'no',
  a: 'always',
  always: 'always',
};

/** The meaning of a line; undefined for a line that is no answer. The words behind a no are the reason, which the model is given. */
export function readAnswer(line: string): Answer | undefined {
  const text = line.trim();
  const word = text.toLowerCase();
  if (Object.hasOwn(words, word)) return words[word];
  const [, reason] = /^no?(?:\s*[,:;.–—-]+\s*|\s+)(\S[^]*)$/i.exec(text) ?? [];
  return reason === undefined ? undefined : { no: reason };
}

function noAnswer(line: string, printer: Printer): string {
  const said = oneLine(line, Math.max(20, printer.width - 4));
  const what = said === '' ? 'An empty line' : `"${said}"`;
  const told = `${what} is neither yes, no nor always, and has done nothing. To decline with words for the model, type them behind a no: no, because …`;
  // The last column of a terminal stays free.
  return wrapped(told, printer.width - 1).join('\n');
}

/** Shows the whole call and the agent that makes it: nobody should approve a text that was cut. */
function questionText(printer: Printer, call: ToolCall, { agent, preview, detail, reason }: Question): string {
  const what = preview === undefined ? ` with ${escaped(call.arguments)}` : '';
  return [
    `Run ${printer.style('bold', inLine(call.name))} for ${inLine(agent)}${what}`,
    ...(preview === undefined ? [] : shown(printer, preview)),
    ...(detail === undefined ? [] : [`It runs ${escaped(detail)}`]),
    ...(reason === undefined ? [] : [`Asked because ${escaped(reason)}`]),
  ].join('\n');
}

function shown(printer: Printer, preview: Preview): string[] {
  if (preview.kind === 'command') {
    // The lines of a command are indented, so that none of them can look like a line of turnwire itself.
    const [first = '', ...more] = escaped(preview.command).split('\n');
    const lines = [`  $ ${first}`, ...more.map((line) => `    ${line}`)];
    return preview.notes.length === 0 ? lines : [...lines, `  (${preview.notes.map(inLine).join(', ')})`];
  }
  return escaped(preview.diff)
    .split('\n')
    .map((line) => `  ${printer.style(colours[line.charAt(0)] ?? 'dim', line)}`);
}

const colours: Readonly<Record<string, 'green' | 'red' | 'cyan'>> = { '+': 'green', '-': 'red', '@': 'cyan' };

/** A name in one line. */
function inLine(text: string): string {
  return escaped(text).replace(/[\n\t]/g, ' ');
}
