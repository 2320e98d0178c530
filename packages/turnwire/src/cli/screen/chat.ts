import type { AgentEvent } from '../../agent/events.js';
import type { Session } from '../../agent/session.js';
import type { Model } from '../../config/model.js';
import { approverBy } from '../approval-question.js';
import { exitStatus, signalStatus } from '../exit-status.js';
import { describeFailure } from '../failure.js';
import type { Interrupts } from '../interrupts.js';
import type { Io } from '../io.js';
import type { RunHook } from '../session-hooks.js';
import { oneLine } from '../columns.js';
import { printable, Printer } from '../terminal.js';
import type { User } from '../user.js';
import { command, commandNames, type Typed } from './command.js';
import { LineEditor } from './line-editor.js';
import { type Footer, Screen } from './screen.js';
import { Status } from './status.js';
import { Transcript } from './transcript.js';
import { cut, wrapped } from './wrap.js';

export interface ChatOptions {
  interrupts: Interrupts;
  model: string;
  debug: boolean;
}

/** What a conversation is held with. */
export interface Partner {
  session: Session;
  /** Begins a new conversation. */
  renew: () => Promise<Session>;
  /** @throws Error if there is no such model, or it cannot be reached. */
  modelNamed: (name: string) => Promise<Model>;
  /** Told what happens, before it is shown. */
  keep: (event: AgentEvent) => void;
  hook: RunHook;
}

/** A conversation at a terminal that can be written to while it shows what comes: what is said in between steers the agent. */
export class Chat {
  readonly #printer: Printer;
  readonly #screen: Screen;
  readonly #editor: LineEditor;
  readonly #status: Status;
  readonly #options: ChatOptions;
  readonly #transcript: Transcript;
  #partner: Partner | undefined;
  #asked: { label: string; answer: (line: string | undefined) => void } | undefined;
  #wake: (() => void) | undefined;
  readonly #waiting: string[] = [];
  /** Of what waits: what was said too late for the last turn. */
  #late: string | undefined;
  /** What was typed while the agents were still being made ready. */
  readonly #early: string[] = [];
  #running = false;
  #left: number | undefined;
  /** A conversation that is being begun anew: what is said meanwhile is said in the new one. */
  #renewal: Promise<void> = Promise.resolve();
  readonly #clock: NodeJS.Timeout;
  readonly #close = (): void => this.close();
  readonly #resume = (): void => this.#resumed();

  constructor(io: Io, options: ChatOptions) {
    this.#options = options;
    this.#printer = new Printer(io.stdout, io.env);
    this.#status = new Status(options.model);
    this.#editor = new LineEditor(io, {
      onLine: (line) => this.#typed(line),
      onChange: () => this.#screen.refresh(),
      onInterrupt: () => this.#interrupted(),
      onSuspend: () => this.#suspend(),
      onEnd: () => this.#leave(exitStatus.ok),
      onGone: () => options.interrupts.interrupt('SIGHUP'),
      complete: (line) => this.#completions(line),
    });
    this.#screen = new Screen(io.stdout, (size) => this.#footer(size));
    this.#transcript = new Transcript(this.#printer, this.#screen);
    this.#clock = setInterval(() => this.#running && this.#screen.refresh(), 1000).unref();
    // A terminal has to be left as it was, whatever ends the process; and before an error is printed.
    process.on('exit', this.#close);
    process.on('uncaughtExceptionMonitor', this.#close);
    process.on('SIGCONT', this.#resume);
    options.interrupts.onLeave = this.#close;
  }

  /** Undoes what was done to the terminal. */
  close(): void {
    clearInterval(this.#clock);
    process.off('exit', this.#close);
    process.off('uncaughtExceptionMonitor', this.#close);
    process.off('SIGCONT', this.#resume);
    this.#screen.close();
    this.#editor.close();
  }

  /** A line about what happens. */
  note(text: string): void {
    this.#transcript.note(text);
  }

  /** The user, as tools and approval meet them. */
  get user(): User {
    let last: Promise<unknown> = Promise.resolve();
    // One question at a time: two agents may want to ask.
    const put = (text: string, label: string, signal: AbortSignal): Promise<string | undefined> => {
      const next = last.then(() => this.#ask(text, label, signal));
      last = next;
      return next;
    };
    return {
      approver: approverBy(put, this.#printer),
      askUser: (text, { signal }) => put(printable(text), '? ', signal),
    };
  }

  /** Prompt after prompt, until the user leaves; the exit status. */
  async converse(partner: Partner): Promise<number> {
    const { interrupts } = this.#options;
    const welcome = partner.session.agent.welcomeMessage.trimEnd();
    if (welcome !== '') this.#screen.print(wrapped(printable(welcome), this.#screen.columns));
    this.#begin(partner);
    while (this.#left === undefined) {
      await partner.hook('on_user_input');
      const prompt = await this.#next();
      await this.#renewal;
      if (prompt !== undefined) await this.#run(partner, prompt);
      const { received } = interrupts;
      if (received === 'SIGTERM' || received === 'SIGHUP') return signalStatus(received);
      interrupts.renew();
    }
    return this.#left;
  }

  /** One prompt, and what is said while it is answered; the exit status. */
  async answer(prompt: string, partner: Partner): Promise<number> {
    const { interrupts } = this.#options;
    this.#waiting.push(prompt);
    this.#begin(partner);
    let status: number = exitStatus.ok;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      status = await this.#run(partner, next);
      if (interrupts.received !== undefined) return signalStatus(interrupts.received);
      if (status !== exitStatus.ok) return status;
    }
    this.note(this.#status.summary);
    return this.#left ?? status;
  }

  #begin(partner: Partner): void {
    this.#partner = partner;
    this.#screen.refresh();
    for (const line of this.#early.splice(0)) this.#typed(line);
  }

  async #run(partner: Partner, prompt: string): Promise<number> {
    const { interrupts, debug } = this.#options;
    const { session } = partner;
    this.#running = true;
    let status: number = exitStatus.ok;
    try {
      const followUp = prompt === this.#late;
      for await (const event of session.run(prompt, { signal: interrupts.signal, followUp })) {
        partner.keep(event);
        this.#status.note(event);
        this.#transcript.show(event);
      }
    } catch (error) {
      this.#transcript.flush();
      const failure = describeFailure(error, debug);
      status = failure.status;
      if (interrupts.received !== undefined) this.note('interrupted');
      else this.#screen.print(wrapped(this.#printer.style('red', failure.text), this.#screen.columns));
    } finally {
      this.#running = false;
      this.#transcript.end();
    }
    const unheard = session.unheard();
    // After a failure it is the user's decision whether it still holds.
    this.#late = unheard.length > 0 && status === exitStatus.ok ? unheard.join('\n\n') : undefined;
    if (this.#late !== undefined) this.#waiting.unshift(this.#late);
    else if (unheard.length > 0) this.#editor.text = unheard.join('\n');
    return status;
  }

  /** What the user says next; undefined when there is no more, or a signal came. */
  async #next(): Promise<string | undefined> {
    const { signal } = this.#options.interrupts;
    while (this.#waiting.length === 0 && this.#left === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return signal.aborted || this.#left !== undefined ? undefined : this.#waiting.shift();
  }

  async #ask(text: string, label: string, signal: AbortSignal): Promise<string | undefined> {
    // What was typed before the question is shown is no answer to it.
    await this.#editor.settled();
    if (signal.aborted || this.#left !== undefined) return undefined;
    this.#transcript.flush();
    // Whole, with its blanks: what is approved is what stands there.
    this.#screen.print(text.split('\n').flatMap((line) => cut(line, this.#screen.columns)));
    return new Promise((resolve) => {
      // What was being typed was no answer to this.
      const before = this.#editor.text;
      this.#editor.text = '';
      const answer = (line: string | undefined): void => {
        signal.removeEventListener('abort', gone);
        this.#asked = undefined;
        this.#screen.print(line === undefined ? [] : [`${label}${oneLine(line, this.#screen.columns)}`]);
        this.#editor.text = before;
        this.#screen.refresh();
        resolve(line);
      };
      const gone = (): void => answer(undefined);
      signal.addEventListener('abort', gone, { once: true });
      this.#asked = { label, answer };
      this.#screen.print([]);
      this.#screen.refresh();
    });
  }

  #typed(line: string): void {
    if (this.#asked !== undefined) return this.#asked.answer(line);
    if (line.trim() === '') return this.#screen.refresh();
    if (this.#partner === undefined) return void this.#early.push(line);
    const { session } = this.#partner;
    this.#transcript.flush();
    this.#screen.print(wrapped(`${this.#printer.style('bold', '>')} ${printable(line)}`, this.#screen.columns));
    const typed = command(session.agent, line);
    if (typed.kind !== 'say') return this.#obey(typed, this.#partner);
    if (this.#running) {
      return void this.#say(typed.text, session);
    }
    this.#waiting.push(typed.text);
    this.#wake?.();
  }

  async #say(text: string, session: Session): Promise<void> {
    const heard = await session.say(text);
    this.note(heard === 'steered' ? 'told the running turn' : 'waits for the next turn');
  }

  #obey(typed: Exclude<Typed, { kind: 'say' }>, partner: Partner): void {
    const { model } = partner.session.agent;
    switch (typed.kind) {
      case 'tell':
        return this.note(typed.text);
      case 'exit':
        return this.#leave(exitStatus.ok);
      case 'usage':
        return this.note(this.#status.summary);
      case 'new':
        if (this.#running) return this.note('the agent is at work: Ctrl-C first');
        return void (this.#renewal = this.#renew(partner));
      case 'model':
        if (typed.name === '') return this.note(model.name);
        return void this.#useNamed(typed.name, partner);
      case 'transport':
        if (typed.name === undefined) return this.note(model.transport);
        this.#use({ ...model, transport: typed.name }, partner);
        return this.note(`transport ${typed.name}`);
    }
  }

  /** Never rejects. */
  async #renew(partner: Partner): Promise<void> {
    await this.#renewal;
    try {
      partner.session = await partner.renew();
      this.note('a new conversation');
    } catch (error) {
      this.note(describeFailure(error, this.#options.debug).text);
    }
  }

  #use(model: Model, { session }: Partner): string {
    session.useModel(model);
    this.#status.model = model.name;
    return `model ${model.name}`;
  }

  /** Never rejects. */
  async #useNamed(name: string, partner: Partner): Promise<void> {
    try {
      this.note(this.#use(await partner.modelNamed(name), partner));
    } catch (error) {
      this.note(describeFailure(error, this.#options.debug).text);
    }
  }

  #interrupted(): void {
    const { interrupts } = this.#options;
    // At a prompt where something is typed, it is that which goes.
    if (!this.#running && this.#editor.text !== '') {
      this.#editor.text = '';
      return this.#screen.refresh();
    }
    if (!this.#running && this.#partner !== undefined) return this.#leave(signalStatus('SIGINT'));
    interrupts.interrupt('SIGINT');
  }

  /** To the shell, and back by its `fg`. */
  #suspend(): void {
    if (process.platform === 'win32') return;
    this.#screen.hide();
    this.#editor.raw = false;
    process.kill(process.pid, 'SIGTSTP');
  }

  #resumed(): void {
    this.#editor.raw = true;
    this.#screen.show();
  }

  #leave(status: number): void {
    this.#left ??= status;
    this.#asked?.answer(undefined);
    if (this.#running && this.#options.interrupts.received === undefined) this.#options.interrupts.interrupt('SIGINT');
    this.#wake?.();
  }

  #completions(line: string): string[] {
    if (this.#partner === undefined || !line.startsWith('/')) return [];
    return commandNames(this.#partner.session.agent).filter((name) => name.startsWith(line));
  }

  #footer({ columns, rows }: { columns: number; rows: number }): Footer {
    const label = this.#asked?.label ?? '> ';
    const input = this.#editor.layout(label, columns, Math.max(1, Math.floor(rows / 3)));
    const above = this.#transcript.growing(columns);
    const room = Math.max(0, rows - input.rows.length - 2);
    const shown = room === 0 ? [] : above.slice(-room);
    const status = this.#printer.style('dim', this.#status.line(columns));
    return {
      rows: [...shown, status, ...input.rows],
      cursor: { row: shown.length + 1 + input.cursor.row, column: input.cursor.column },
    };
  }
}
