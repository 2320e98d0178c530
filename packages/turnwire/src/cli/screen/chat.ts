import type { Session } from '../../agent/session.js';
import type { PromptTemplate } from '../../config/variables/template.js';
import { approverBy } from '../run/approval-question.js';
import type { Attachment } from '../run/attachments.js';
import { exitStatus, signalStatus } from '../process/exit-status.js';
import { describeFailure } from '../process/failure.js';
import type { Interrupts } from '../process/interrupts.js';
import type { Io } from '../process/io.js';
import { oneLine } from './text/columns.js';
import { printable, Printer } from '../process/terminal.js';
import type { User } from '../run/user.js';
import { command, completions, type Typed } from './command.js';
import { type CommandContext, needsRest, commandActions, type ChatSession } from './command-actions.js';
import { greeting, lastExchange } from './greeting.js';
import { LineEditor } from './line-editor.js';
import type { Styler } from './text/markdown.js';
import { type Footer, Screen } from './screen.js';
import { Status } from './status.js';
import { Transcript } from './transcript.js';
import { cut, wrapped } from './text/wrap.js';

export interface ChatOptions {
  interrupts: Interrupts;
  model: string;
  debug: boolean;
}

/** A conversation at a terminal in which the user can type while the answer streams: what is typed then steers the agent. */
export class Chat {
  readonly #printer: Printer;
  readonly #style: Styler;
  readonly #screen: Screen;
  readonly #editor: LineEditor;
  readonly #status: Status;
  readonly #options: ChatOptions;
  readonly #transcript: Transcript;
  #chatSession: ChatSession | undefined;
  #asked: { label: string; answer: (line: string | undefined) => void } | undefined;
  #wake: (() => void) | undefined;
  readonly #waiting: (string | PromptTemplate)[] = [];
  /** Input that came too late to steer the last turn, to be sent as the next prompt. */
  #late: string | undefined;
  /** Lines that were typed while the agents were still being opened. */
  readonly #early: string[] = [];
  #running = false;
  #left: number | undefined;
  /** The commands that are running, one after another; input that comes meanwhile waits for them. */
  #commands: Promise<void> = Promise.resolve();
  #cancel = new AbortController();
  readonly #attached: Attachment[] = [];
  /** True where the last key was Ctrl-C at an empty prompt. */
  #hinted = false;
  readonly #clock: NodeJS.Timeout;
  readonly #close = (): void => this.close();
  readonly #resume = (): void => this.#resumed();

  constructor(io: Io, options: ChatOptions) {
    this.#options = options;
    this.#printer = new Printer(io.stdout, io.env);
    this.#style = this.#printer.style.bind(this.#printer);
    this.#status = new Status(options.model);
    this.#editor = new LineEditor(io, {
      onLine: (line) => this.#typed(line),
      onChange: () => {
        this.#hinted &&= this.#editor.text === '';
        this.#screen.refresh();
      },
      onEscape: () => this.#cancelled(),
      onUnfold: () => this.#transcript.unfold(),
      onInterrupt: () => this.#interrupted(),
      onSuspend: () => this.#suspend(),
      onEnd: () => this.#leave(exitStatus.ok),
      onGone: () => options.interrupts.interrupt('SIGHUP'),
      complete: (line) => this.#completions(line),
    });
    this.#screen = new Screen(io.stdout, (size) => this.#footer(size));
    this.#transcript = new Transcript(this.#printer, this.#screen);
    this.#clock = setInterval(() => this.#running && this.#screen.refresh(), 1000).unref();
    // The terminal must be restored whatever ends the process, and before an error is printed.
    process.on('exit', this.#close);
    process.on('uncaughtExceptionMonitor', this.#close);
    process.on('SIGCONT', this.#resume);
    options.interrupts.onLeave = this.#close;
  }

  /** Restores the terminal. */
  close(): void {
    clearInterval(this.#clock);
    process.off('exit', this.#close);
    process.off('uncaughtExceptionMonitor', this.#close);
    process.off('SIGCONT', this.#resume);
    this.#screen.close();
    this.#editor.close();
  }

  /** Prints a line about an event. */
  note(text: string): void {
    this.#transcript.note(text);
  }

  /** The functions through which tools and approval ask the user. */
  get user(): User {
    let last: Promise<unknown> = Promise.resolve();
    // Questions are asked one after another, since two agents may ask at once.
    const put = (text: string, label: string, signal: AbortSignal): Promise<string | undefined> => {
      const next = last.then(() => this.#ask(text, label, signal));
      last = next;
      return next;
    };
    const approver = approverBy(put, this.#printer);
    return {
      approver: {
        approve: async (call, asked) => {
          const answer = await approver.approve(call, asked);
          this.#transcript.answered(call);
          return answer;
        },
      },
      askUser: (text, { signal }) => put(wrapped(printable(text), this.#screen.columns).join('\n'), '? ', signal),
    };
  }

  /** Runs prompt after prompt until the user leaves. Gives the exit status. */
  async converse(chatSession: ChatSession, attachments: readonly Attachment[]): Promise<number> {
    this.#attached.push(...attachments);
    const { interrupts } = this.#options;
    this.#screen.print(greeting(chatSession.session, this.#style, this.#screen.columns));
    this.#showEnd(chatSession);
    this.#begin(chatSession);
    while (this.#left === undefined) {
      await chatSession.hook('on_user_input');
      const prompt = await this.#next();
      await this.#commands;
      if (prompt !== undefined) await this.#run(chatSession, prompt);
      const { received } = interrupts;
      if (received === 'SIGTERM' || received === 'SIGHUP') return signalStatus(received);
      interrupts.renew();
    }
    return this.#left;
  }

  /** Runs one prompt, and takes the user's input meanwhile. Gives the exit status. */
  async answer(
    prompt: string | PromptTemplate,
    chatSession: ChatSession,
    attachments: readonly Attachment[],
  ): Promise<number> {
    this.#attached.push(...attachments);
    const { interrupts } = this.#options;
    this.#waiting.push(prompt);
    this.#begin(chatSession);
    let status: number = exitStatus.ok;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      status = await this.#run(chatSession, next);
      if (interrupts.received !== undefined) return signalStatus(interrupts.received);
      if (status !== exitStatus.ok) return status;
    }
    this.note(this.#status.summary);
    return this.#left ?? status;
  }

  #begin(chatSession: ChatSession): void {
    this.#chatSession = chatSession;
    this.#screen.refresh();
    for (const line of this.#early.splice(0)) this.#typed(line);
  }

  async #run(chatSession: ChatSession, prompt: string | PromptTemplate): Promise<number> {
    const { interrupts, debug } = this.#options;
    const { session } = chatSession;
    this.#running = true;
    let status: number = exitStatus.ok;
    try {
      const followUp = prompt === this.#late;
      const attached = this.#attached.splice(0).map(({ content }) => content);
      for await (const event of session.run(prompt, { signal: interrupts.signal, followUp, attached })) {
        chatSession.keep(event);
        chatSession.spent.note(event);
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
    // After a failure the user decides whether the input is still wanted.
    this.#late = unheard.length > 0 && status === exitStatus.ok ? unheard.join('\n\n') : undefined;
    if (this.#late !== undefined) this.#waiting.unshift(this.#late);
    else if (unheard.length > 0) this.#editor.text = unheard.join('\n');
    return status;
  }

  /** The user's next input; undefined when there is no more, or a signal came. */
  async #next(): Promise<string | PromptTemplate | undefined> {
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
    // Keys that came before the question was shown do not answer it.
    await this.#editor.settled();
    if (signal.aborted || this.#left !== undefined) return undefined;
    this.#transcript.flush();
    // The text is shown whole, with its blanks, since the user approves exactly this text.
    this.#screen.print(text.split('\n').flatMap((line) => cut(line, this.#screen.columns)));
    return new Promise((resolve) => {
      // A prompt that was half typed is put aside: it does not answer the question.
      const before = this.#editor.text;
      this.#editor.text = '';
      const answer = (line: string | undefined): void => {
        signal.removeEventListener('abort', gone);
        this.#asked = undefined;
        this.#screen.print(
          line === undefined ? [] : wrapped(`${label}${oneLine(line, this.#screen.columns)}`, this.#screen.columns),
        );
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
    if (this.#chatSession === undefined) return void this.#early.push(line);
    const { session } = this.#chatSession;
    this.#transcript.flush();
    this.#screen.print(wrapped(`${this.#printer.style('bold', '>')} ${printable(line)}`, this.#screen.columns));
    const typed = command(session.agent, line, this.#chatSession.sessionId);
    if (typed.kind !== 'say') return this.#obey(typed, this.#chatSession);
    if (typed.agent !== undefined) this.#handOff(typed.agent, this.#chatSession);
    if (this.#running && typeof typed.text === 'string') return void this.#say(typed.text, session);
    if (this.#running) this.note('waits for the end of this run, because tools are called for it first');
    this.#waiting.push(typed.text);
    this.#wake?.();
  }

  async #say(text: string, session: Session): Promise<void> {
    const heard = await session.say(text);
    this.note(heard === 'steered' ? 'sent to the running turn' : 'waits for the next turn');
  }

  #obey(typed: Exclude<Typed, { kind: 'say' }>, chatSession: ChatSession): void {
    switch (typed.kind) {
      case 'tell':
        return this.note(typed.text);
      case 'switch':
        return this.#handOff(typed.agent, chatSession);
      case 'open':
        return this.#doing(() => chatSession.open(typed.url));
      case 'shell':
        return this.#doing(async (signal) =>
          this.note((await chatSession.shell(typed.command, signal)) || 'no output'),
        );
      case 'own': {
        const changes = needsRest.has(typed.name) || (typed.name === 'sessions' && typed.rest !== '');
        if (changes && this.#running) return this.note('the agent is at work: Escape first');
        return this.#doing(async (signal) => commandActions[typed.name](typed.rest, this.#deskOf(chatSession), signal));
      }
    }
  }

  #handOff(to: string, { session }: ChatSession): void {
    try {
      session.handOff(to);
      this.#status.model = session.agent.model.name;
      this.note(`${to} goes on`);
    } catch (error) {
      this.note(describeFailure(error, this.#options.debug).text);
    }
  }

  /** Queues the work of a command; input that comes meanwhile is handled after it. Never rejects. */
  #doing(work: (signal: AbortSignal) => Promise<void>): void {
    this.#commands = this.#commands
      .then(() => work(this.#cancel.signal))
      .catch((error: unknown) => this.note(describeFailure(error, this.#options.debug).text));
  }

  #deskOf(chatSession: ChatSession): CommandContext {
    return {
      chatSession,
      attached: this.#attached,
      lastRun: this.#status.summary,
      note: (text) => this.note(text),
      show: (event) => this.#transcript.show(event),
      showEnd: () => this.#showEnd(chatSession),
      clear: () => this.#screen.clear(),
      leave: () => this.#leave(exitStatus.ok),
      type: (text) => {
        this.#editor.text = text;
        this.#screen.refresh();
      },
      named: ({ name }) => {
        this.#status.model = name;
      },
    };
  }

  #showEnd({ session }: ChatSession): void {
    this.#screen.print(lastExchange(session.history, this.#style, this.#screen.columns));
  }

  /** Cancels the running work, but never ends the process. */
  #cancelled(): void {
    if (this.#asked !== undefined) return this.#asked.answer('no');
    if (this.#running && this.#options.interrupts.received === undefined) this.#options.interrupts.interrupt('SIGINT');
    this.#cancel.abort(new Error('cancelled'));
    this.#cancel = new AbortController();
  }

  #interrupted(): void {
    const { interrupts } = this.#options;
    // At a prompt with text, Ctrl-C clears the text.
    if (!this.#running && this.#editor.text !== '') {
      this.#editor.text = '';
      return this.#screen.refresh();
    }
    if (!this.#running && this.#chatSession !== undefined) {
      if (this.#hinted) return this.#leave(signalStatus('SIGINT'));
      this.#cancelled();
      this.#hinted = true;
      return this.note('Ctrl-C again leaves, and so does Ctrl-D');
    }
    interrupts.interrupt('SIGINT');
  }

  /** Returns to the shell (Ctrl-Z), whose `fg` comes back. */
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
    if (this.#chatSession === undefined) return [];
    return completions(this.#chatSession.session.agent, line, this.#chatSession.models);
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
