import type { Variables } from '../../commands/command.js';
import { HeadAndTail } from '../../commands/head-and-tail.js';
import { type ProcessGroup, startGroup } from '../../commands/process-group.js';
import { causeOf, McpFailure } from '../failure.js';
import { parseMessages } from '../message.js';
import { messageLimit, type Receiver, type Transport } from './transport.js';

/** Of what a server writes to its standard error, in bytes. */
const complaintLimit = 8192;
/** Of that, what is told of it, in characters. */
const longestComplaint = 300;
/** How long a server that cannot be written to any more may take to end, so that its status can be told; in milliseconds. */
const endingMs = 1000;

const newline = 0x0a;

export interface Program {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Variables;
  /** The package that it is a part of. @default not known */
  from?: string | undefined;
}

/**
 * An MCP server in a process group of its own, over its standard input and output, a message a line. The SDK's transport ends the process alone;
 * what it has started (`npx` starts the server itself) would go on.
 */
export class StdioTransport implements Transport {
  readonly exchanges = false;
  readonly #program: Program;
  readonly #complaints = new HeadAndTail(complaintLimit);
  #group: ProcessGroup | undefined;
  #receiver: Receiver | undefined;
  #line: Buffer[] = [];
  #lineLength = 0;
  /** Why it is gone. */
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
      // Its pipes may be held open by what it has left behind.
      child.once('exit', () => setTimeout(() => this.#ended(), endingMs).unref());
      child.once('close', () => this.#ended());
      // Whoever writes is told; the status of the process says more.
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
    // Without its last byte, the end of the line, no message can run.
    throw new McpFailure(
      'connection_lost',
      (await this.#end()) ?? `it reads no more: ${causeOf(error)}${this.#said()}`,
    );
  }

  ready(): void {
    // The version travels in the handshake alone.
  }

  /** Ends the server with all that it has started; does not wait for them. */
  close(): Promise<void> {
    this.#gone ??= new McpFailure('unanswered', 'it was ended');
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
      // A line that is no message, such as a greeting, is passed over.
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

  /** Waits for the end of a process that has closed its input, for as long as that should take; how it ended. */
  async #end(): Promise<string | undefined> {
    const child = this.#group?.process;
    if (child !== undefined && this.#gone === undefined)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endingMs);
        child.once('close', () => {
          clearTimeout(timer);
          // Behind the listener that says how it ended.
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
 * The line that says what went wrong: of a stack trace the one that names the error, else the last one that speaks of something wrong, else the last
 * one. Node ends a trace with its version, Python with the error, Docker with where to find help.
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
