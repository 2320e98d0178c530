import { resolve } from 'node:path';
import type { TransportChoice } from '@turnwire/client';
import { createSession, type Session } from '../../agent/session.js';
import type { SessionFile } from '../../agent/sessions/session-file.js';
import { SessionError } from '../../agent/sessions/session-folder.js';
import type { AgentEvent } from '../../agent/events.js';
import type { Member } from '../../agent/team.js';
import { messageOf } from '../../agent/base/abort.js';
import { unattended, type Variables } from '../../agent/tools/commands/command.js';
import { expander } from '../../agent/tools/toolsets.js';
import { openInBrowser } from '../../agent/tools/everyday/browser.js';
import type { Model } from '../../config/models/model.js';
import { withoutSecrets } from '../../config/models/client-options.js';
import { type Config, loadConfig } from '../../config/config.js';
import { nearest } from '../../config/file/nearest.js';
import { readSecret, secretProblem } from '../../config/secrets/key.js';
import type { PromptTemplate } from '../../config/variables/template.js';
import { type OpenAgentsOptions, openAgents } from './open-agents.js';
import { exitStatus, signalStatus } from '../process/exit-status.js';
import { describeFailure } from '../process/failure.js';
import { UsageError } from '../process/usage-error.js';
import { fileCommand, slashName } from '../screen/file-command.js';
import { homeOf } from '../options/home.js';
import { Interrupts } from '../process/interrupts.js';
import type { Io } from '../process/io.js';
import { agentFile } from './agent-file.js';
import { type Attachment, mostAttachments, readAttachment } from './attachments.js';
import { oneLine } from '../screen/text/columns.js';
import { Chat } from '../screen/chat.js';
import type { ChatSession } from '../screen/command-actions.js';
import { SessionUsage } from '../screen/session-usage.js';
import { workingDirectory } from './directory.js';
import { ask, readPrompt } from './prompt.js';
import { jsonView, textView, type RunView } from './run-view.js';
import { secretsOf } from '../options/secrets.js';
import { resumeHint } from './resume-hint.js';
import { type RunHook, runSessionHook } from './session-hooks.js';
import { sessionsOf } from '../sessions.js';
import { printable, Printer } from '../process/terminal.js';
import { userAt } from './user.js';
import { createWorktree, prepareWorktree, type Worktree } from './worktree.js';
import { runForUser } from '../screen/user-shell.js';

export interface RunOptions {
  yolo?: boolean;
  model?: string;
  transport?: TransportChoice;
  json?: boolean;
  workingDir?: string;
  worktree?: string | true;
  script?: string;
  session?: string;
  record?: string;
  replay?: string;
  loose?: boolean;
  speed?: number | 'at-once';
  envFromFile?: readonly string[];
  attach?: readonly string[];
  debug?: boolean;
}

/** `turnwire run FILE [PROMPT]`. */
export async function run(
  io: Io,
  named: string | undefined,
  prompt: string | undefined,
  options: RunOptions,
): Promise<number> {
  const file = agentFile(named, io.cwd);
  const recording = recordingOf(io, options);
  const secrets = secretsOf(io, options.envFromFile);
  const config = await loadConfig(file, {
    secrets,
    keys: options.replay === undefined,
    model: options.model,
    transport: options.transport,
  });
  const interactive = prompt === undefined;
  if (interactive && io.stdin.isTTY !== true)
    throw new UsageError('there is no prompt: give one as an argument, or "-" to read it from standard input');
  if (options.script !== undefined && ![...config.agents.values()].some(({ model }) => model.provider === 'emulator'))
    throw new UsageError('--script is for agents whose model has "provider: emulator"');
  const attachments: Attachment[] = [];
  for (const path of options.attach ?? []) attachments.push(await readAttachment(path, io.cwd));
  if (attachments.length > mostAttachments)
    throw new UsageError(
      `${mostAttachments} files come with one prompt at most, and --attach names ${attachments.length}`,
    );
  let directory = await workingDirectory(io, options.workingDir ?? io.cwd);
  const asked = interactive ? undefined : await readPrompt(io, prompt);
  let kept = options.replay === undefined ? keptSession(io, config, options.session) : undefined;

  const notes = new Printer(io.stderr, io.env);
  const env = unattended(withoutSecrets(io.env, config));
  const interrupts = new Interrupts(io);
  const listening = options.json !== true && prompt !== '-' && io.stdin.isTTY === true;
  const chat = listening && canDraw(io) ? chatAt(io, config, options, interrupts) : undefined;
  const user = chat?.user ?? userAt(io, { listening, interrupts });
  const tell = (message: string): void => (chat === undefined ? notes.line(message) : chat.note(message));
  let worktree: Worktree | undefined;
  try {
    if (options.worktree !== undefined) {
      const { signal } = interrupts;
      const made = { directory, name: options.worktree, home: homeOf(io), env: unattended(io.env), signal };
      worktree = await createWorktree(made);
      directory = worktree.path;
      const expand = expander({ secret: (name) => readSecret(secrets, [name]) });
      const around = { env, expand, home: homeOf(io), sessionId: kept?.id ?? '', signal, tell };
      await prepareWorktree(worktree, config.root, around);
    }
    const agents = await openAgents({
      config,
      secrets,
      directory,
      env,
      askUser: user.askUser,
      home: homeOf(io),
      script: options.script,
      recording,
      warn: tell,
      signal: interrupts.signal,
    }).catch((error: unknown) => {
      if (interrupts.received === undefined) throw error;
      return signalStatus(interrupts.received);
    });
    if (typeof agents === 'number') return agents;
    try {
      const begins = agents.members.get(kept?.state.agent ?? config.root.name);
      if (begins === undefined)
        throw new UsageError(`the session belongs to the agent ${kept?.state.agent}, and ${file} has no such agent`);
      const begin = (member: Member, file: SessionFile | undefined): Session =>
        createSession({
          ...member,
          client: agents.clientFor,
          team: agents.members,
          approval: options.yolo ? { yolo: user.approver } : user.approver,
          askUser: user.askUser,
          rules: config.permissions,
          hooksIn: { directory, env, expand: agents.expand, now: agents.now, home: homeOf(io) },
          history: file?.state.items,
          makers: file?.state.makers,
          keeper: file,
          id: file?.id,
          budget: config.budget,
          used: file && {
            tokens: file.state.usage.input_tokens + file.state.usage.output_tokens,
            cost: file.state.cost ?? 0,
          },
          answers: agents.answers,
          title: file?.state.title,
        });
      let session = begin(begins, kept);
      const first = asked === undefined ? undefined : await prompted(session, asked, { id: kept?.id ?? '', env });
      if (asked !== undefined && first === undefined) return exitStatus.ok;
      const keep = (event: AgentEvent): void => keepUsage(event, kept);
      const view = keeping(options.json ? jsonView(io) : textView(io), keep);
      const hook: RunHook = (point, event = {}) => runSessionHook(session, point, event, tell);
      let spent = new SessionUsage(kept?.state);
      const renew = async (reference?: string): Promise<Session> => {
        const fresh = options.replay === undefined ? keptSession(io, config, reference) : undefined;
        const root = agents.members.get(fresh?.state.agent ?? config.root.name);
        if (root === undefined) {
          fresh?.close();
          throw new UsageError(`the session belongs to the agent ${fresh?.state.agent}, and ${file} has no such agent`);
        }
        await hook('session_end', { reason: 'clear' });
        await session.close();
        kept?.close();
        kept = fresh;
        session = begin(root, fresh);
        spent = new SessionUsage(fresh?.state);
        await hook('session_start', { source: reference === undefined ? 'clear' : 'resume' });
        return session;
      };
      const modelNamed = async (name: string): Promise<Model> => {
        const model = config.modelNamed(name, '/model');
        const keys = options.replay === undefined ? model.tokenKeys : [];
        const problem = keys.length === 0 ? undefined : await secretProblem(secrets, keys, true);
        if (problem !== undefined) throw new UsageError(`${name}: ${problem}`);
        agents.clientFor(model);
        return model;
      };
      await hook('session_start', { source: options.session === undefined ? 'startup' : 'resume' });
      try {
        const running: Running = { id: kept?.id ?? '', env, view, interrupts, options, hook, attachments };
        const chatSession: ChatSession = {
          session,
          get sessionId() {
            return kept?.id ?? '';
          },
          get spent() {
            return spent;
          },
          renew,
          sessions: () => earlier(io, kept?.id),
          models: [...config.models.keys()],
          modelNamed,
          attach: (path) => readAttachment(path, directory),
          shell: (cmd, signal) => runForUser(cmd, { cwd: directory, env: unattended(io.env), signal }),
          open: (url) => openInBrowser(url, env),
          keep,
          hook,
        };
        const status =
          first === undefined
            ? await (chat?.converse(chatSession, attachments) ?? converse(io, session, running))
            : await (chat?.answer(first, chatSession, attachments) ?? once(io, session, first, running));
        const unasked = status === exitStatus.ok ? agents.unasked() : undefined;
        if (unasked === undefined) return status;
        tell(`turnwire: ${unasked}`);
        return options.loose === true ? status : exitStatus.failed;
      } finally {
        await hook('session_end', { reason: interactive ? 'prompt_input_exit' : 'other' });
        await session.close();
      }
    } finally {
      await agents.close();
    }
  } finally {
    chat?.close();
    if (worktree !== undefined)
      notes.line(`The work is in ${printable(worktree.path)}, on the branch ${worktree.branch}.`);
    if (interactive && kept?.used === true && interrupts.received !== 'SIGHUP')
      notes.line(resumeHint(file, kept.id, worktree?.path));
    interrupts.end();
    kept?.close();
  }
}

/** The file to record to or to replay, if there is one. */
function recordingOf(
  io: Io,
  { record, replay, loose, speed, session, script }: RunOptions,
): OpenAgentsOptions['recording'] {
  if (record !== undefined && replay !== undefined)
    throw new UsageError('--record and --replay exclude each other: a replay has been recorded');
  if (replay === undefined && (loose === true || speed !== undefined))
    throw new UsageError(`--${loose === true ? 'loose' : 'speed'} is for a run with --replay`);
  if (replay !== undefined && script !== undefined)
    throw new UsageError('--replay and --script exclude each other: a recording has the answers');
  const given = record === undefined ? '--replay' : '--record';
  if ((record ?? replay) !== undefined && session !== undefined)
    throw new UsageError(
      `${given} and --session exclude each other: a recording is of a whole run, from its beginning`,
    );
  if (record !== undefined) return { record: resolve(io.cwd, record) };
  if (replay === undefined) return undefined;
  return { replay: resolve(io.cwd, replay), loose: loose === true, speed: speed ?? 'at-once' };
}

interface Running {
  id: string;
  env: Variables;
  view: RunView;
  interrupts: Interrupts;
  options: RunOptions;
  hook: RunHook;
  /** The files that are sent with the next prompt. */
  attachments: Attachment[];
}

/** Runs one prompt. */
async function once(io: Io, session: Session, prompt: string | PromptTemplate, running: Running): Promise<number> {
  const { view, interrupts, options, attachments } = running;
  try {
    const attached = attachments.splice(0).map(({ content }) => content);
    for await (const event of session.run(prompt, { signal: interrupts.signal, attached })) view.show(event);
    return exitStatus.ok;
  } catch (error) {
    if (interrupts.received !== undefined) return signalStatus(interrupts.received);
    const { text, status } = describeFailure(error, options.debug === true);
    new Printer(io.stderr, io.env).line(text);
    return status;
  }
}

/** Runs prompt after prompt, until there are no more. A failure or an interrupt ends the running prompt alone. */
async function converse(io: Io, session: Session, running: Running): Promise<number> {
  const { interrupts, hook } = running;
  const stderr = new Printer(io.stderr, io.env);
  const { welcomeMessage } = session.agent;
  if (welcomeMessage !== '') stderr.line(printable(welcomeMessage.trimEnd()));
  for (;;) {
    await hook('on_user_input');
    let left = false;
    const typed = await ask(io, '> ', {
      signal: interrupts.signal,
      onInterrupt: () => {
        left = true;
      },
    });
    if (typed === undefined) {
      io.stderr.write('\n');
      if (interrupts.received !== undefined) return signalStatus(interrupts.received);
      return left ? signalStatus('SIGINT') : exitStatus.ok;
    }
    if (typed.trim() === '') continue;
    try {
      const text = await prompted(session, typed, running);
      if (text !== undefined) await once(io, session, text, running);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      stderr.line(error.message);
    }
    if (interrupts.received === 'SIGTERM' || interrupts.received === 'SIGHUP') return signalStatus(interrupts.received);
    interrupts.renew();
  }
}

/**
 * The prompt that a line stands for: `/name` stands for a command of the agent file, and changes to another agent first where the file says so. undefined for
 * a command that opens an address and asks for no answer. In a file without commands a slash has no meaning.
 *
 * @throws UsageError for a name that is none of the file's commands
 */
async function prompted(
  session: Session,
  typed: string,
  { id, env }: { id: string; env: Variables },
): Promise<string | PromptTemplate | undefined> {
  const { commands } = session.agent;
  const slash = slashName(typed);
  if (slash === undefined || commands.size === 0) return typed;
  const { name, rest } = slash;
  const asked = fileCommand(session.agent, name, rest, id);
  if (asked === undefined) {
    const guess = nearest(name, [...commands.keys()]);
    const known = [...commands.keys()].map((each) => `/${each}`).join(', ');
    throw new UsageError(
      `there is no command /${name}; ${guess === undefined ? `there is ${known}` : `did you mean /${guess}?`}`,
    );
  }
  if (asked.kind === 'open') {
    await openInBrowser(asked.url, env).catch((error: unknown) => {
      throw new UsageError(messageOf(error), { cause: error });
    });
    return undefined;
  }
  if (asked.agent !== undefined) session.handOff(asked.agent);
  if (asked.kind === 'switch') throw new UsageError(`/${name} hands over to ${asked.agent}; type a prompt behind it`);
  return asked.text;
}

/** The session that this run continues or begins; undefined where sessions cannot be kept. */
function keptSession(io: Io, config: Config, reference: string | undefined): SessionFile | undefined {
  const folder = sessionsOf(io);
  if (folder === undefined) {
    if (reference === undefined) return undefined;
    throw new UsageError('--session needs a folder to look in: set TURNWIRE_HOME, or HOME');
  }
  try {
    return reference === undefined
      ? folder.create(resolve(io.cwd, config.file), config.root.name)
      : folder.resume(reference);
  } catch (error) {
    if (error instanceof SessionError) throw new UsageError(error.message, { cause: error });
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `the session cannot be kept: ${reason}; set TURNWIRE_HOME to a folder that can be written to`,
      { cause: error },
    );
  }
}

/** One line for each earlier session, newest first. */
function earlier(io: Io, current: string | undefined): string[] {
  const found = sessionsOf(io)?.list(() => undefined) ?? [];
  return found
    .filter(({ id }) => id !== current)
    .slice(0, 20)
    .map(({ id, changed, title, prompt }) => oneLine(`${id}  ${changed.slice(0, 16)}  ${title ?? prompt}`, 200));
}

/** Adds the cost of a turn to the session. */
function keepUsage(event: AgentEvent, kept: SessionFile | undefined): void {
  if (event.type === 'token_usage')
    kept?.append({ kind: 'usage', usage: event.usage, ...(event.cost === undefined ? {} : { cost: event.cost }) });
}

function keeping(view: RunView, keep: (event: AgentEvent) => void): RunView {
  return {
    show(event) {
      keep(event);
      view.show(event);
    },
  };
}

/** True for a terminal on which rows can be redrawn. */
function canDraw({ stdout, stdin, env }: Io): boolean {
  return stdout.isTTY === true && stdin.setRawMode !== undefined && env['TERM'] !== 'dumb';
}

function chatAt(io: Io, { root }: Config, { debug }: RunOptions, interrupts: Interrupts): Chat {
  return new Chat(io, { interrupts, model: root.model.name, debug: debug === true });
}
