import { randomInt } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { type Client, createClient } from '@turnwire/client';
import { homedir } from 'node:os';
import { messageOf } from '../../agent/base/abort.js';
import { AnswerCache } from '../../agent/answer-cache.js';
import { instructionsAround } from '../../agent/conversation/instructions.js';
import type { Skill } from '../../agent/skills/skill-file.js';
import { openSkills } from '../../agent/skills/skills-toolset.js';
import { ineffectiveMatchers, ineffectiveRules } from '../../agent/permissions/ineffective-guards.js';
import type { Member } from '../../agent/team.js';
import type { TodoList, ToolsetOptions } from '../../agent/tools/toolset.js';
import { withDescription } from '../../agent/tools/described.js';
import { expander, openTools, type Toolbox } from '../../agent/tools/toolsets.js';
import type { Agent } from '../../config/agent.js';
import { clientOptions } from '../../config/models/client-options.js';
import type { Config } from '../../config/config.js';
import type { Model } from '../../config/models/model.js';
import { modelsOf } from '../../config/models/models-of.js';
import { secretValues } from '../../config/secrets/needed-secrets.js';
import { readSecret } from '../../config/secrets/key.js';
import type { Secrets } from '../../config/secrets/secrets.js';
import { type Emulator, startEmulator } from '@turnwire/emulator';
import { printable } from '../process/terminal.js';
import { type RunRecording, recordTo, replayFrom, type ReplaySettings } from './run-recording.js';
import { UsageError } from '../process/usage-error.js';

export interface OpenAgentsOptions {
  config: Config;
  secrets: Secrets;
  /** The folder that the tools work in. */
  directory: string;
  /** The environment of commands. */
  env: ToolsetOptions['env'];
  askUser: ToolsetOptions['askUser'];
  /** The folder of memories where the agent file names none; undefined: the file has to name one. */
  home: string | undefined;
  /** The script that the emulator answers from. */
  script: string | undefined;
  /** The file to record to, or to replay. @default neither */
  recording?: { record: string } | ({ replay: string } & Omit<ReplaySettings, 'warn'>) | undefined;
  warn: (message: string) => void;
  /** Cancels the opening. */
  signal: AbortSignal;
}

/** The agents of a file, ready to work: their tools are open, and each model has a client. */
export interface OpenAgents {
  members: ReadonlyMap<string, Member>;
  clientFor: (model: Model) => Client;
  /** Caches of the users' answers to earlier questions, one for each agent. */
  answers: ReadonlyMap<string, AnswerCache>;
  /** Replaces `${env.NAME}` in variables of hooks. */
  expand: (values: Readonly<Record<string, string>>) => Promise<Record<string, string>>;
  /** The current time for the run: the recording's time in a replay. */
  now: Date;
  /** The recorded exchanges that the run did not ask for, as a sentence; undefined for none. */
  unasked: () => string | undefined;
  /** Ends connections, MCP servers and background commands. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens the tools and the clients of the first agent, and of all agents that it can reach.
 *
 * @throws UsageError if a toolset cannot be opened
 */
export async function openAgents(options: OpenAgentsOptions): Promise<OpenAgents> {
  const { config, secrets, directory, home, script, recording, warn } = options;
  const agents = reachable(config);
  const models = [...new Set(agents.flatMap(modelsOf))];
  const replay = recording !== undefined && 'replay' in recording ? recording : undefined;
  const emulator = replay === undefined ? await emulatorFor(models, script) : undefined;
  let between: RunRecording | undefined;
  const clients = new Map<string, Client>();
  const boxes: Toolbox[] = [];
  const close = async (): Promise<void> => {
    for (const client of clients.values()) client.destroy();
    await Promise.all(boxes.map((box) => box.close()));
    await between?.close().catch((error: unknown) => warn(`turnwire: ${messageOf(error)}`));
    await emulator?.close();
  };
  const clientFor = (model: Model): Client => {
    // The user may change the transport of a model in the middle of a conversation.
    const key = `${model.name} ${model.transport}`;
    let client = clients.get(key);
    if (client === undefined) {
      if (needsEmulator(model) && emulator === undefined && replay === undefined)
        throw new UsageError(`${model.name} needs an emulator, which this run was not started with`);
      const own = emulator !== undefined && needsEmulator(model) ? { baseUrl: emulator.url } : {};
      // The client does not fall back to other models, since the agent does: the waits of two layers would multiply (C6).
      client = createClient({
        ...clientOptions(model, secrets),
        ...own,
        ...between?.optionsFor(model),
        recovery: { refusals: 'surface' },
        onWarning: warn,
      });
      clients.set(key, client);
    }
    return client;
  };
  // A server that is restarted later must not be bound to the signal of the opening.
  const opening = new AbortController();
  const giveUp = (): void => opening.abort(options.signal.reason);
  options.signal.addEventListener('abort', giveUp, { once: true });
  const toolsetOptions: ToolsetOptions = {
    directory,
    env: options.env,
    secret: (name) => readSecret(secrets, [name]),
    askUser: options.askUser,
    opening: opening.signal,
    warn: (message) => warn(`turnwire: ${printable(message)}`),
    memoryFile: home === undefined ? undefined : fileIn(home, 'memory', resolve(config.file)),
    tasksFile: home === undefined ? undefined : fileIn(home, 'tasks', resolve(config.file)),
    home,
  };
  const sharedList: TodoList = new Map();
  const members = new Map<string, Member>();
  let now = new Date();
  const answers = new Map<string, AnswerCache>();
  try {
    if (replay !== undefined)
      between = await replayFrom(replay.replay, models, { ...replay, warn: (message) => warn(`turnwire: ${message}`) });
    now = between?.now ?? now;
    for (const agent of agents) {
      const box = await openTools(agent.toolsets, { ...toolsetOptions, subAgents: agent.subAgents }, sharedList);
      boxes.push(box);
      const skills = await openSkills(agent.skills, {
        directory,
        home: options.env['HOME'] ?? homedir(),
        warn: (message) => warn(`turnwire: ${printable(message)}`),
      });
      const memories = agent.injectMemories ? await box.recall() : '';
      const remembered = memories === '' ? '' : `You remember:\n${memories}`;
      const tools = [box.instructions, skills.instructions ?? '', remembered]
        .filter((text) => text !== '')
        .join('\n\n');
      const around = { directory, tools, agents: config.agents, now };
      members.set(agent.name, {
        agent: withSkillCommands(agent, skills.offered),
        tools: agent.describesCalls
          ? box.tools.map(withDescription).concat(skills.tools)
          : [...box.tools, ...skills.tools],
        ...(await instructionsAround(agent, around)),
      });
      if (agent.cache !== undefined) {
        const { path } = agent.cache;
        const file = path === undefined ? undefined : resolve(dirname(config.file), path);
        answers.set(agent.name, new AnswerCache(agent.cache, file));
      }
    }
    const tools = [...members.values()].flatMap((member) => member.tools);
    for (const idle of [
      ...ineffectiveRules(config.permissions, tools),
      ...[...members.values()].flatMap((member) =>
        ineffectiveMatchers(member.agent.name, member.agent.hooks, member.tools),
      ),
    ])
      toolsetOptions.warn?.(idle);
    // Done last, so that a run which cannot begin leaves no file behind.
    if (recording !== undefined && 'record' in recording) {
      const addressOf = (model: Model) =>
        model.baseUrl ?? (needsEmulator(model) ? emulator?.url : undefined) ?? openAiUrl();
      between = await recordTo(recording.record, models, {
        addressOf,
        secrets: await secretValues(agents, secrets),
        warn: (message) => warn(`turnwire: ${message}`),
      });
    }
  } catch (error) {
    await close();
    throw new UsageError(messageOf(error), { cause: error });
  } finally {
    options.signal.removeEventListener('abort', giveUp);
  }
  return {
    members,
    clientFor,
    answers,
    expand: expander(toolsetOptions),
    now,
    unasked: () => between?.unasked(),
    close,
  };
}

/** The first agent, and all agents that it can reach through others. */
function reachable({ root, agents }: Config): Config['root'][] {
  const found = new Set([root]);
  // A `for` loop over a set also visits the values that are added while it runs.
  for (const { subAgents, handoffs, forceHandoff, commands } of found) {
    const named = [...commands.values()].flatMap((command) => command.agent ?? []);
    for (const name of [...subAgents, ...handoffs, ...named, ...(forceHandoff === undefined ? [] : [forceHandoff])]) {
      const agent = agents.get(name);
      if (agent !== undefined) found.add(agent);
    }
  }
  return [...found];
}

/** The base URL that the client uses when it is given none. */
function openAiUrl(): string {
  return process.env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1';
}

/** Adds a command for each skill; a command of the same name in the file comes first. */
function withSkillCommands(agent: Agent, skills: readonly Skill[]): Agent {
  if (skills.length === 0) return agent;
  const commands = skills.map(({ name, description, fork }) => {
    const how = fork ? 'by run_skill' : ': read it with read_skill, and follow it';
    return [
      name,
      { description, instruction: `Use the skill ${name}${how}.`, agent: undefined, url: undefined },
    ] as const;
  });
  return { ...agent, commands: new Map([...commands, ...agent.commands]) };
}

/** The path of a file beside the sessions that belongs to one agent file. */
function fileIn(home: string, folder: string, agentFile: string): string {
  return join(
    home,
    folder,
    `${agentFile
      .replace(/[^A-Za-z0-9.]+/g, '-')
      .replace(/^-/, '')
      .slice(-100)}.json`,
  );
}

function needsEmulator({ provider, baseUrl }: Model): boolean {
  return provider === 'emulator' && baseUrl === undefined;
}

async function emulatorFor(models: readonly Model[], script: string | undefined): Promise<Emulator | undefined> {
  if (!models.some(needsEmulator)) return undefined;
  // A random seed gives each run new ids: those of an earlier run may be in the history of the session.
  return startEmulator({ seed: randomInt(2 ** 31), ...(script === undefined ? {} : { script }) });
}
