import type { InputItem } from '@turnwire/client';
import { isPrompt, promptText } from '../../agent/conversation/pairing.js';
import { textOf } from '../../agent/sessions/transcript.js';
import type { Session } from '../../agent/session.js';
import { printable } from '../process/terminal.js';
import { rendered, type Styler } from './text/markdown.js';
import { wrapped } from './text/wrap.js';

/** The most names that a list shows; of a longer list, the number of further names follows. */
const mostNames = 12;

/** The lines before the first prompt: agent, model, tools, and the welcome message of the file. */
export function greeting(session: Session, style: Styler, width: number): string[] {
  const { agent, tools } = session;
  const { name, description, model, alternates, toolsets, commands, subAgents, handoffs } = agent;
  const models = alternates.length === 0 ? [model] : alternates;
  const kinds = [...new Set(toolsets.map(({ type }) => type))];
  const can = [
    ['tools', kinds.length === 0 ? [] : [`${kinds.join(', ')} (${tools.length})`]],
    ['agents', [...new Set([...subAgents, ...handoffs])]],
    ['commands', [...commands.keys()].map((each) => `/${each}`)],
  ] as const;
  const about = description === '' ? '' : `: ${printable(description).replace(/\s+/g, ' ').trim()}`;
  const facts = [
    `model ${models.map((each) => each.name).join(', ')}`,
    ...can.flatMap(([what, names]) => (names.length === 0 ? [] : [`${what} ${listed(names)}`])),
    '/help',
  ];
  const lines = [
    ...wrapped(`${style('bold', printable(name))}${about}`, width),
    ...wrapped(style('dim', printable(facts.join(' · '))), width),
  ];
  const welcome = rendered(agent.welcomeMessage.trimEnd(), style, width);
  return welcome.length === 0 ? lines : [...lines, '', ...welcome];
}

/** The lines at the beginning of a continued conversation: its last prompt, and the answer. */
export function lastExchange(items: readonly InputItem[], style: Styler, width: number): string[] {
  const at = items.findLastIndex(isPrompt);
  if (at === -1) return [];
  const prompt = promptText(items.slice(0, at + 1));
  const answer = items
    .slice(at + 1)
    .flatMap((item) => ('role' in item && item.role === 'assistant' ? [textOf(item.content)] : []));
  const before = items.slice(0, at).filter(isPrompt).length;
  return [
    ...(before === 0 ? [] : [style('dim', `… ${before} earlier ${before === 1 ? 'prompt' : 'prompts'}`)]),
    ...wrapped(`${style('bold', '>')} ${printable(prompt)}`, width),
    ...rendered(answer.join('\n\n'), style, width),
  ];
}

function listed(names: readonly string[]): string {
  const rest = names.length - mostNames;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, mostNames).join(', ')} and ${rest} more`;
}
