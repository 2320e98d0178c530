import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createClient } from '@turnwire/client';
import { createSession } from '../agent/session.js';
import { createTools } from '../agent/tools/toolsets.js';
import { loadConfig } from '../config/config.js';
import { clientOptions, withoutSecrets } from '../config/client-options.js';
import { unsupported } from '../agent/unsupported.js';
import { secretsOf } from './secrets.js';
import { startEmulator } from '../emulator/index.js';
import { exitStatus, signalStatus } from './exit-status.js';
import { describeFailure, UsageError } from './failure.js';
import { ask, readPrompt } from './prompt.js';
import { jsonView, question, textView } from './run-view.js';
import { Printer } from './terminal.js';
import type { Answer, Approver } from '../agent/approval.js';
import type { Session } from '../agent/session.js';
import type { Model } from '../config/model.js';
import type { Emulator } from '../emulator/index.js';
import type { Io, Signal } from './io.js';
import type { RunView } from './run-view.js';

export interface RunOptions {
  yolo?: boolean;
  json?: boolean;
  workingDir?: string;
  script?: string;
  envFromFile?: readonly string[];
  debug?: boolean;
}

/** `turnwire run FILE [PROMPT]`. */
export async function run(io: Io, file: string, prompt: string | undefined, options: RunOptions): Promise<number> {
  const secrets = secretsOf(io, options.envFromFile);
  const config = await loadConfig(file, { secrets });
  const { root: agent } = config;
  const missing = unsupported(config);
  if (missing.length > 0)
    throw new UsageError(`${file} is right, but turnwire run does not do this yet: ${missing.join('; ')}`);
  const interactive = prompt === undefined;
  if (interactive && io.stdin.isTTY !== true)
    throw new UsageError('there is no prompt: give one as an argument, or "-" to read it from standard input');
  if (options.script !== undefined && agent.model.provider !== 'emulator')
    throw new UsageError('--script is for agents whose model has "provider: emulator"');
  const directory = await workingDirectory(io, options.workingDir ?? io.cwd);
  const first = interactive ? undefined : await readPrompt(io, prompt);

  const notes = new Printer(io.stderr, io.env);
  const emulator = await emulatorFor(agent.model, options.script);
  const client = createClient({
    ...clientOptions(agent.model, secrets),
    ...(emulator === undefined ? {} : { baseUrl: emulator.url }),
    onWarning: (message) => notes.line(message),
  });
  const interrupts = new Interrupts(io);
  try {
    const session = createSession({
      client,
      agent,
      tools: createTools(agent.toolsets, { directory, env: withoutSecrets(io.env, config) }),
      approval: options.yolo ? 'yolo' : approver(io, prompt, options, interrupts),
      maxTurns: agent.maxIterations,
    });
    const view = options.json ? jsonView(io) : textView(io);
    if (first !== undefined) return await once(io, session, first, { view, interrupts, options });
    return await converse(io, session, { view, interrupts, options });
  } finally {
    interrupts.end();
    client.destroy();
    await emulator?.close();
  }
}

interface Running {
  view: RunView;
  interrupts: Interrupts;
  options: RunOptions;
}

/** One prompt. */
async function once(io: Io, session: Session, prompt: string, { view, interrupts, options }: Running): Promise<number> {
  try {
    for await (const event of session.run(prompt, { signal: interrupts.signal })) view.show(event);
    return exitStatus.ok;
  } catch (error) {
    if (interrupts.received !== undefined) return signalStatus(interrupts.received);
    const { text, status } = describeFailure(error, options.debug === true);
    new Printer(io.stderr, io.env).line(text);
    return status;
  }
}

/** Prompt after prompt, until there are no more. A run that fails or is interrupted ends that run alone. */
async function converse(io: Io, session: Session, running: Running): Promise<number> {
  const { interrupts } = running;
  for (;;) {
    let left = false;
    const prompt = await ask(io, '> ', {
      signal: interrupts.signal,
      onInterrupt: () => {
        left = true;
      },
    });
    if (prompt === undefined) {
      io.stderr.write('\n');
      if (interrupts.received !== undefined) return signalStatus(interrupts.received);
      return left ? signalStatus('SIGINT') : exitStatus.ok;
    }
    if (prompt.trim() === '') continue;
    await once(io, session, prompt, running);
    if (interrupts.received === 'SIGTERM' || interrupts.received === 'SIGHUP') return signalStatus(interrupts.received);
    interrupts.renew();
  }
}

/** The first signal ends what is running, in good order; the second one the process, at once. */
class Interrupts {
  received: Signal | undefined;
  #controller = new AbortController();
  readonly #stop: () => void;

  constructor(io: Io) {
    this.#stop = io.onSignal((signal) => this.interrupt(signal));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  interrupt(signal: Signal): void {
    if (this.received !== undefined) process.exit(signalStatus(signal));
    this.received = signal;
    this.#controller.abort(new Error(`interrupted by ${signal}`));
  }

  renew(): void {
    if (this.received === undefined) return;
    this.received = undefined;
    this.#controller = new AbortController();
  }

  end(): void {
    this.#stop();
  }
}

/** Asks at the terminal, where there is one that is not needed for the prompt. */
function approver(io: Io, prompt: string | undefined, { json }: RunOptions, interrupts: Interrupts): Approver {
  if (json || prompt === '-' || io.stdin.isTTY !== true) {
    return {
      approve: () => {
        throw new Error(
          'there is nobody to ask; start turnwire run at a terminal, or with --yolo to run all tools without asking',
        );
      },
    };
  }
  return {
    approve: async (call, { signal }) => {
      const answer = await ask(io, question(io, call), { signal, onInterrupt: () => interrupts.interrupt('SIGINT') });
      return answers[answer?.trim().toLowerCase() ?? ''] ?? 'no';
    },
  };
}

const answers: Readonly<Record<string, Answer>> = { y: 'yes', yes: 'yes', a: 'always', always: 'always' };

/** Where the tools work. */
async function workingDirectory(io: Io, folder: string): Promise<string> {
  const place = resolve(io.cwd, folder);
  const problem = await stat(place).then(
    (found) => (found.isDirectory() ? undefined : 'it is not a folder'),
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'there is no such folder' : error.message),
  );
  if (problem !== undefined) throw new UsageError(`the working directory ${folder} cannot be used: ${problem}`);
  return place;
}

async function emulatorFor({ provider, baseUrl }: Model, script: string | undefined): Promise<Emulator | undefined> {
  if (provider !== 'emulator' || baseUrl !== undefined) return undefined;
  return startEmulator(script === undefined ? {} : { script });
}
