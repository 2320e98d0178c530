import type { Variables } from '../../commands/command.js';
import { HeadAndTail } from '../../commands/head-and-tail.js';
import { type ProcessGroup, startGroup } from '../../commands/process-group.js';
import { causeOf, McpFailure } from '../failure.js';
import { parseMessages } from '../message.js';
import { messageLimit, type Receiver, type Transport } from './transport.js';

/** The most bytes of a server's standard error that are kept. */
const complaintLimit = 8192;
/** The most characters of it that are shown. */
const longestComplaint = 300;
/** The time that a server may take to end once it cannot be written to any more, so that its exit status can be shown; in milliseconds. */
const endingMs = 1000;

const newline = 0x0a;

export interface Program {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Variables;
  /** The package that the program belongs to. @default unknown */
  from?: string | undefined;
}

/**
 * An MCP server as a process with a process group of its own. Messages are lines on its standard input and output. The transport of the SDK ends the process
 * alone: processes that it has started would go on, such as the server itself under `npx`.
 */
export class StdioTransport implements Transport {
  readonly exchanges = false;
  readonly #program: Program;
  readonly #complaints = new HeadAndTail(complaintLimit);
  #group: ProcessGroup | undefined;
  #receiver: Receiver | undefined;
  #line: Buffer[] = [];
  #lineLength = 0;
  /** The reason why the server is gone. */
  #gone: McpFailure | undefined;

  constructor(program: Program) {
    this.#program = program;
  }

  start(receiver: Receiver): Promise<void> {
    const { command, args, cwd, env, from } = this.#program;
    const group = startGroup(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    this.#group = group;
    this.#receiver = receiver;
    const { process: child } = group;
    return new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error: NodeJS.ErrnoException) => {
        const source = from === undefined ? '' : ` (install ${from})`;
        const hint = error.code === 'ENOENT' ? `; there is no program ${command}${source}, or no folder ${cwd}` : '';
        const failure = new McpFailure('refused', `it cannot be started: ${causeOf(error)}${hint}`, { cause: error });
        reject(failure);
        this.#lose(failure);
      });
      // Processes that the server has left behind may hold its pipes open.
      child.once('exit', () => setTimeout(() => this.#ended(), endingMs).unref());
      child.once('close', () => this.#ended());
      // The failed write reports the error; the exit status of the process says more.
      child.stdin?.on('error', () => undefined);
      child.stderr?.on('data', (chunk: Buffer) => this.#complaints.add(chunk));
      child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    });
  }

  async send(message: object): Promise<void> {
    const stdin = this.#group?.process.stdin;
    if (this.#gone !== undefined) throw new McpFailure('connection_lost', this.#gone.message);
    if (stdin === null || stdin === undefined) throw new McpFailure('refused', 'it was not started');
    const error = await new Promise<Error | null | undefined>((resolve) => {
      if (stdin.writable) stdin.write(`${JSON.stringify(message)}\n`, resolve);
      else resolve(new Error('it reads no more'));
    });
    if (error === null || error === undefined) return;
    // The line was not written to its end, so its message cannot have run.
    throw new McpFailure(
      'connection_lost',
      (await this.#end()) ?? `it reads no more: ${causeOf(error)}${this.#said()}`,
    );
  }

  ready(): void {
    // Over standard input and output only the handshake contains the version.
  }

  /** Ends the server and all processes that it has started, without waiting for them. */
  close(): Promise<void> {
    this.#gone ??= new McpFailure('unanswered', 'the server was ended');
    this.#group?.process.stdin?.end();
    this.#group?.end();
    return Promise.resolve();
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(this.#line).toString();
      this.#line = [];
      this.#lineLength = 0;
      // A line that is no message, such as a greeting, is ignored.
      for (const message of parseMessages(line)) this.#receiver?.message(message);
    }
    this.#keep(chunk.subarray(from));
    if (this.#lineLength <= messageLimit) return;
    this.#line = [];
    this.#lose(new McpFailure('unanswered', `it wrote a line of more than ${messageLimit / 1024 ** 2} MiB`));
    void this.close();
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#line.push(bytes);
    this.#lineLength += bytes.length;
  }

  /** Waits a short time for the end of a process that has closed its input; gives a sentence about its end. */
  async #end(): Promise<string | undefined> {
    const child = this.#group?.process;
    if (child !== undefined && this.#gone === undefined)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endingMs);
        child.once('close', () => {
          clearTimeout(timer);
          // Resolves after the listener that notes how the process ended.
          setImmediate(resolve);
        });
      });
    return this.#gone?.message;
  }

  #ended(): void {
    const { exitCode = null, signalCode = null } = this.#group?.process ?? {};
    this.#group?.end();
    const how = signalCode === null ? `with status ${exitCode ?? 'unknown'}` : `by the signal ${signalCode}`;
    this.#lose(new McpFailure('unanswered', `it ended ${how}${this.#said()}`));
  }

  #lose(failure: McpFailure): void {
    if (this.#gone !== undefined) return;
    this.#gone = failure;
    this.#receiver?.lost(failure);
  }

  #said(): string {
    const said = complaintIn(this.#complaints.toString());
    return said === '' ? '' : ` (it said: ${said})`;
  }
}

/**
 * The line of the standard error that says what went wrong: in a stack trace the line that names the error, else the last line that speaks of an error, else
 * the last line. Node ends a trace with its version, Python with the error, Docker with a hint at its help.
 */
function complaintIn(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  const line =
    lines.findLast((each) => /^\s*(\w+\.)*\w*(Error|Exception)\b/.test(each)) ??
    lines.findLast((each) => /\b(error|fatal|failed|unknown|denied|cannot|not found|no such)\b/i.test(each)) ??
    lines.at(-1) ??
    '';
  return line.trim().slice(0, longestComplaint).toWellFormed();
}
