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
import type { Spent } from './spent.js';

/** What a conversation is held with. */
export interface Partner {
  session: Session;
  /** The id under which it is kept; empty where it is not. */
  readonly sessionId: string;
  /** What it has used up. */
  readonly spent: Spent;
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
export interface Desk {
  partner: Partner;
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

type Obey = (rest: string, desk: Desk, signal: AbortSignal) => void | Promise<void>;

/** Commands that change what a run is working on: not while one runs. */
export const needsRest: ReadonlySet<OwnCommand> = new Set<OwnCommand>(['new', 'clear', 'undo', 'compact']);

/** What each command of the conversation does. @throws Error that is told to the user. */
export const obey: Readonly<Record<OwnCommand, Obey>> = {
  async new(_rest, desk) {
    desk.partner.session = await desk.partner.renew();
    desk.note('a new conversation');
  },
  async clear(_rest, desk) {
    desk.partner.session = await desk.partner.renew();
    desk.clear();
    desk.note('a new conversation');
  },
  async sessions(rest, desk) {
    if (rest === '') return desk.note(desk.partner.sessions().join('\n') || 'there are no earlier conversations');
    desk.partner.session = await desk.partner.renew(rest);
    desk.note(desk.partner.session.title ?? 'an earlier conversation');
    desk.showEnd();
  },
  title(rest, { partner, note }) {
    if (rest !== '') partner.session.title = rest.replace(/\s+/g, ' ').slice(0, 80);
    note(partner.session.title ?? 'this conversation has no title; /title TEXT gives it one');
  },
  undo(_rest, desk) {
    const prompt = desk.partner.session.undo();
    if (prompt === undefined) return desk.note('there is nothing to take back');
    desk.note('taken back; what tools did stays done');
    desk.type(prompt);
  },
  async compact(_rest, desk, signal) {
    const { partner } = desk;
    const steps = partner.session.compact({ signal });
    for (;;) {
      const step = await steps.next();
      if (step.done === true) {
        if (!step.value) desk.note('there is nothing to sum up yet');
        return;
      }
      partner.keep(step.value);
      desk.show(step.value);
    }
  },
  async attach(rest, desk) {
    if (rest === '')
      return desk.note(desk.attached.map(({ name }) => name).join(', ') || 'nothing is attached; /attach FILE');
    if (desk.attached.length >= mostAttachments)
      return desk.note(`${mostAttachments} files come with one prompt at most`);
    const attachment = await desk.partner.attach(rest);
    desk.attached.push(attachment);
    desk.note(`${attachment.name} comes with the next prompt`);
  },
  async model(rest, desk) {
    const { partner } = desk;
    if (rest === '') return desk.note(modelList(partner));
    use(desk, await partner.modelNamed(rest));
    desk.note(`model ${partner.session.agent.model.name}`);
  },
  effort(rest, desk) {
    const { model } = desk.partner.session.agent;
    if (rest === '') return desk.note(model.effort ?? 'as the model does by itself');
    const effort = efforts.find((each) => each === rest);
    if (effort === undefined) return desk.note(`there is no effort ${rest}${guess(rest, efforts)}`);
    use(desk, { ...model, effort });
    desk.note(`effort ${effort}`);
  },
  transport(rest, desk) {
    const { model } = desk.partner.session.agent;
    if (rest === '') return desk.note(model.transport);
    const transport = transports.find((each) => each === rest);
    if (transport === undefined) return desk.note(`there is no transport ${rest}; there is ${transports.join(', ')}`);
    use(desk, { ...model, transport });
    desk.note(`transport ${transport}`);
  },
  tools(_rest, { partner, note }) {
    const lines = partner.session.tools.map(
      ({ name, description, readOnly }) =>
        `${name}${readOnly ? '' : ' (asks)'}: ${description.split(/(?<=\.)\s/, 1)[0]}`,
    );
    note(lines.join('\n') || 'the agent has no tools');
  },
  yolo(_rest, { partner, note }) {
    partner.session.yolo = !partner.session.yolo;
    note(
      partner.session.yolo ? 'tools run without a question; /yolo asks again' : 'tools that may change something ask',
    );
  },
  cost: (_rest, { partner, note }) => note(partner.spent.summary),
  usage: (_rest, desk) => desk.note(desk.lastRun),
  help: (_rest, { partner, note }) => note(help(partner.session.agent)),
  exit: (_rest, desk) => desk.leave(),
};

function use(desk: Desk, model: Model): void {
  desk.partner.session.useModel(model);
  desk.named(model);
}

function modelList({ session, models }: Partner): string {
  const { name } = session.agent.model;
  return [name, ...models.filter((each) => each !== name)]
    .map((each) => `${each === name ? '●' : ' '} ${each}`)
    .join('\n');
}

function guess(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? `; there is ${words.join(', ')}` : `; did you mean ${near}?`;
}
