import type { AgentEvent } from '../../agent/events.js';
import type { Session } from '../../agent/session.js';
import type { Model } from '../../config/models/model.js';
import { nearest } from '../../config/file/nearest.js';
import { efforts } from '../../config/schema/model.js';
import type { Attachment } from '../run/attachments.js';
import { mostAttachments } from '../run/attachments.js';
import type { RunHook } from '../run/session-hooks.js';
import { help, transports } from './command.js';
import type { OwnCommand } from './own-commands.js';
import type { SessionUsage } from './session-usage.js';

/** The session and the functions that a conversation needs. */
export interface ChatSession {
  session: Session;
  /** The id of the kept session; empty where it is not kept. */
  readonly sessionId: string;
  /** The usage of the conversation so far. */
  readonly spent: SessionUsage;
  /** Begins a new conversation, or continues an earlier one. @throws Error for an unknown one */
  renew: (reference?: string) => Promise<Session>;
  /** One line for each earlier conversation, newest first. */
  sessions: () => readonly string[];
  /** The names of all models. */
  models: readonly string[];
  /** @throws Error for an unknown model, or one that cannot be reached. */
  modelNamed: (name: string) => Promise<Model>;
  /** @throws Error for a file that cannot be attached. */
  attach: (path: string) => Promise<Attachment>;
  /** Runs a command of the user and returns what it prints. Never rejects. */
  shell: (command: string, signal: AbortSignal) => Promise<string>;
  /** Opens an address in the browser. @throws Error if that fails */
  open: (url: string) => Promise<void>;
  /** Called with each event before it is shown. */
  keep: (event: AgentEvent) => void;
  hook: RunHook;
}

/** The parts of a conversation that its commands act on. */
export interface CommandContext {
  chatSession: ChatSession;
  /** The files that are sent with the next prompt. */
  attached: Attachment[];
  /** The summary of the last run. */
  readonly lastRun: string;
  note: (text: string) => void;
  show(event: AgentEvent): void;
  /** Shows the last exchange of the conversation. */
  showEnd(): void;
  clear(): void;
  leave(): void;
  /** Puts a text into the line that the user types in. */
  type(text: string): void;
  /** Makes the status line name another model. */
  named(model: Model): void;
}

type CommandAction = (rest: string, context: CommandContext, signal: AbortSignal) => void | Promise<void>;

/** Commands that change what a run works on, so that they are refused while one is running. */
export const needsRest: ReadonlySet<OwnCommand> = new Set<OwnCommand>(['new', 'clear', 'undo', 'compact']);

/** The action of each command of the conversation. @throws Error whose message is shown to the user */
export const commandActions: Readonly<Record<OwnCommand, CommandAction>> = {
  async new(_rest, context) {
    context.chatSession.session = await context.chatSession.renew();
    context.note('a new conversation');
  },
  async clear(_rest, context) {
    context.chatSession.session = await context.chatSession.renew();
    context.clear();
    context.note('a new conversation');
  },
  async sessions(rest, context) {
    if (rest === '')
      return context.note(context.chatSession.sessions().join('\n') || 'there are no earlier conversations');
    context.chatSession.session = await context.chatSession.renew(rest);
    context.note(context.chatSession.session.title ?? 'an earlier conversation');
    context.showEnd();
  },
  title(rest, { chatSession, note }) {
    if (rest !== '') chatSession.session.title = rest.replace(/\s+/g, ' ').slice(0, 80);
    note(chatSession.session.title ?? 'this conversation has no title; /title TEXT gives it one');
  },
  undo(_rest, context) {
    const prompt = context.chatSession.session.undo();
    if (prompt === undefined) return context.note('there is nothing to take back');
    context.note('taken back; what tools did stays done');
    context.type(prompt);
  },
  async compact(_rest, context, signal) {
    const { chatSession } = context;
    const steps = chatSession.session.compact({ signal });
    for (;;) {
      const step = await steps.next();
      if (step.done === true) {
        if (!step.value) context.note('there is nothing to sum up yet');
        return;
      }
      chatSession.keep(step.value);
      context.show(step.value);
    }
  },
  async attach(rest, context) {
    if (rest === '')
      return context.note(context.attached.map(({ name }) => name).join(', ') || 'nothing is attached; /attach FILE');
    if (context.attached.length >= mostAttachments)
      return context.note(`${mostAttachments} files come with one prompt at most`);
    const attachment = await context.chatSession.attach(rest);
    context.attached.push(attachment);
    context.note(`${attachment.name} comes with the next prompt`);
  },
  async model(rest, context) {
    const { chatSession } = context;
    if (rest === '') return context.note(modelList(chatSession));
    use(context, await chatSession.modelNamed(rest));
    context.note(`model ${chatSession.session.agent.model.name}`);
  },
  effort(rest, context) {
    const { model } = context.chatSession.session.agent;
    if (rest === '') return context.note(model.effort ?? 'as the model does by itself');
    const effort = efforts.find((each) => each === rest);
    if (effort === undefined) return context.note(`there is no effort ${rest}${guess(rest, efforts)}`);
    use(context, { ...model, effort });
    context.note(`effort ${effort}`);
  },
  transport(rest, context) {
    const { model } = context.chatSession.session.agent;
    if (rest === '') return context.note(model.transport);
    const transport = transports.find((each) => each === rest);
    if (transport === undefined)
      return context.note(`there is no transport ${rest}; there is ${transports.join(', ')}`);
    use(context, { ...model, transport });
    context.note(`transport ${transport}`);
  },
  tools(_rest, { chatSession, note }) {
    const lines = chatSession.session.tools.map(
      ({ name, description, readOnly }) =>
        `${name}${readOnly ? '' : ' (asks)'}: ${description.split(/(?<=\.)\s/, 1)[0]}`,
    );
    note(lines.join('\n') || 'the agent has no tools');
  },
  yolo(_rest, { chatSession, note }) {
    chatSession.session.yolo = !chatSession.session.yolo;
    note(
      chatSession.session.yolo
        ? 'tools run without a question; /yolo asks again'
        : 'tools that may change something ask',
    );
  },
  cost: (_rest, { chatSession, note }) => note(chatSession.spent.summary),
  usage: (_rest, context) => context.note(context.lastRun),
  help: (_rest, { chatSession, note }) => note(help(chatSession.session.agent)),
  exit: (_rest, context) => context.leave(),
};

function use(context: CommandContext, model: Model): void {
  context.chatSession.session.useModel(model);
  context.named(model);
}

function modelList({ session, models }: ChatSession): string {
  const { name } = session.agent.model;
  return [name, ...models.filter((each) => each !== name)]
    .map((each) => `${each === name ? '●' : ' '} ${each}`)
    .join('\n');
}

function guess(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? `; there is ${words.join(', ')}` : `; did you mean ${near}?`;
}
