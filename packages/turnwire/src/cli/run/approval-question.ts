import type { Answer, Approver, Question } from '../../agent/calls/approval.js';
import type { ToolCall } from '../../agent/events.js';
import type { Preview } from '../../agent/tools/tool.js';
import { oneLine } from '../screen/text/columns.js';
import { wrapped } from '../screen/text/wrap.js';
import { escaped, type Printer } from '../process/terminal.js';

/** Shows a text, and asks for a line behind a label; undefined: there is nobody to ask any more. */
export type AskLine = (text: string, label: string, signal: AbortSignal) => Promise<string | undefined>;

/** Who approves calls by what is typed. What is no answer runs nothing and declines nothing: it is asked again. */
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

/** What a line answers; undefined: nothing. Behind a no stands its reason, for the model. */
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
  // The last column of a screen stays free.
  return wrapped(told, printer.width - 1).join('\n');
}

/** What a yes would run, whole, and who asks: nobody should approve what was cut. */
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
    // Lines of a command are set off, so that none of them can be taken for one of ours.
    const [first = '', ...more] = escaped(preview.command).split('\n');
    const lines = [`  $ ${first}`, ...more.map((line) => `    ${line}`)];
    return preview.notes.length === 0 ? lines : [...lines, `  (${preview.notes.map(inLine).join(', ')})`];
  }
  return escaped(preview.diff)
    .split('\n')
    .map((line) => `  ${printer.style(colours[line.charAt(0)] ?? 'dim', line)}`);
}

const colours: Readonly<Record<string, 'green' | 'red' | 'cyan'>> = { '+': 'green', '-': 'red', '@': 'cyan' };

/** A name, which has no lines. */
function inLine(text: string): string {
  return escaped(text).replace(/[\n\t]/g, ' ');
}
