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

/** What a conversation is held with. */
export interface ChatSession {
  session: Session;
  /** The id under which it is kept; empty where it is not. */
  readonly sessionId: string;
  /** What it has used up. */
  readonly spent: SessionUsage;
  /** Begins a new conversation, or goes on with an earlier one. @throws Error if there is no such one. */
  renew: (reference?: string) => Promise<Session>;
  /** A line for each earlier conversation, the newest first. */
  sessions: () => readonly string[];
  /** The names of the models that there are. */
  models: readonly string[];
  /** @throws Error if there is no such model, or it cannot be reached. */
  modelNamed: (name: string) => Promise<Model>;
  /** @throws Error if a file cannot be attached. */
  attach: (path: string) => Promise<Attachment>;
  /** Runs a command of the user and returns what it prints. Never rejects. */
  shell: (command: string, signal: AbortSignal) => Promise<string>;
  /** Opens an address. @throws Error if that cannot be done. */
  open: (url: string) => Promise<void>;
  /** Told what happens, before it is shown. */
  keep: (event: AgentEvent) => void;
  hook: RunHook;
}

/** What the commands of a conversation act on. */
export interface CommandContext {
  chatSession: ChatSession;
  /** What comes with the next prompt. */
  attached: Attachment[];
  /** What the last run came to. */
  readonly lastRun: string;
  note: (text: string) => void;
  show(event: AgentEvent): void;
  /** The end of the conversation as it stands. */
  showEnd(): void;
  clear(): void;
  leave(): void;
  /** Puts a text where prompts are typed. */
  type(text: string): void;
  /** The status line names the model that answers. */
  named(model: Model): void;
}

type CommandAction = (rest: string, context: CommandContext, signal: AbortSignal) => void | Promise<void>;

/** Commands that change what a run is working on: not while one runs. */
export const needsRest: ReadonlySet<OwnCommand> = new Set<OwnCommand>(['new', 'clear', 'undo', 'compact']);

/** What each command of the conversation does. @throws Error that is told to the user. */
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
