// `codex app-server`: Codex steered by JSON-RPC over its standard input, as editors do it.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { bin } from '../client.js';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: unknown;
}

export class CodexApp {
  /** Everything that it told, in order. */
  readonly told: Message[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #calls = 0;
  #wake = new Set<() => void>();
  #thread = '';

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.told.push(JSON.parse(line) as Message);
      this.#tell();
    });
    child.once('close', () => this.#tell());
  }

  static async start(t: TestContext, cwd: string, env: object): Promise<CodexApp> {
    const child = spawn(bin('codex'), ['app-server'], { cwd, env: { ...process.env, ...env } });
    child.stderr.resume();
    t.after(() => child.kill('SIGKILL'));
    const app = new CodexApp(child);
    await app.#call('initialize', { clientInfo: { name: 'tests', title: null, version: '1' }, capabilities: null });
    app.#write({ method: 'initialized' });
    const { thread } = (await app.#call('thread/start', {})) as { thread: { id: string } };
    app.#thread = thread.id;
    return app;
  }

  /** Begins a turn of the user. `ended` resolves when Codex says that it has ended, with its status. */
  async begin(text: string): Promise<{ readonly id: string; readonly ended: Promise<string> }> {
    const { turn } = (await this.#call('turn/start', { threadId: this.#thread, input: input(text) })) as {
      turn: { id: string };
    };
    return { id: turn.id, ended: this.#ended(({ id }) => id === turn.id) };
  }

  async ask(text: string): Promise<string> {
    return (await this.begin(text)).ended;
  }

  async steer(text: string, turn: string): Promise<void> {
    await this.#call('turn/steer', { threadId: this.#thread, input: input(text), expectedTurnId: turn });
  }

  async interrupt(turn: string): Promise<void> {
    await this.#call('turn/interrupt', { threadId: this.#thread, turnId: turn });
  }

  /** `/compact`. */
  async compact(): Promise<string> {
    const before = new Set(this.#turns().map(({ id }) => id));
    await this.#call('thread/compact/start', { threadId: this.#thread });
    return this.#ended(({ id }) => !before.has(id));
  }

  /** Waits for a notification of this kind, and gives what it says. */
  async until(method: string): Promise<Readonly<Record<string, unknown>>> {
    const { params = {} } = await this.#first((message) => message.method === method);
    return params;
  }

  /** The texts of the model, one for each of its messages. */
  get answers(): readonly string[] {
    return this.told
      .filter(({ method }) => method === 'item/completed')
      .map(({ params }) => params?.['item'] as { type: string; text: string })
      .filter(({ type }) => type === 'agentMessage')
      .map(({ text }) => text);
  }

  #turns(): readonly { readonly id: string; readonly status: string }[] {
    return this.told
      .filter(({ method }) => method === 'turn/completed')
      .map(({ params }) => params?.['turn'] as { id: string; status: string });
  }

  async #ended(matches: (turn: { readonly id: string }) => boolean): Promise<string> {
    await this.#first(() => this.#turns().some(matches));
    return this.#turns().find(matches)?.status ?? '';
  }

  async #call(method: string, params: object): Promise<Record<string, unknown>> {
    const id = (this.#calls += 1);
    this.#write({ id, method, params });
    const { result, error } = await this.#first((message) => message.id === id && message.method === undefined);
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  async #first(matches: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.told.find(matches);
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('Codex has ended.');
      await new Promise<void>((wake) => void this.#wake.add(wake));
    }
  }

  #tell(): void {
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  #write(message: object): void {
    this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }
}

function input(text: string): readonly object[] {
  return [{ type: 'text', text, text_elements: [] }];
}
