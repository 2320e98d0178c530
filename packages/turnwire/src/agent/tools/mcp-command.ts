import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Variables } from './command.js';
import { HeadAndTail } from './head-and-tail.js';
import { type ProcessGroup, startGroup } from './process-group.js';

/** Of what a server complains of, in bytes. */
const complaintLimit = 4096;

/**
 * An MCP server in a process group of its own, over its standard input and output. The SDK's transport ends the process alone; what it has
 * started (`npx` starts the server itself) would go on.
 */
export class CommandTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #start: () => ProcessGroup;
  readonly #received = new ReadBuffer();
  readonly #complaints = new HeadAndTail(complaintLimit);
  #group: ProcessGroup | undefined;

  constructor(command: string, args: readonly string[], options: { cwd: string; env: Variables }) {
    this.#start = () => startGroup(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  }

  /** The last line that it wrote as an error; empty if there is none. */
  get lastWords(): string {
    return this.#complaints.toString().trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  }

  start(): Promise<void> {
    const group = this.#start();
    this.#group = group;
    const { process: child } = group;
    return new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(new Error(`it cannot be started: ${error.message}`, { cause: error }));
        this.onerror?.(error);
      });
      child.once('close', () => {
        group.end();
        this.onclose?.();
      });
      child.stdin?.on('error', (error) => this.onerror?.(error));
      child.stderr?.on('data', (chunk: Buffer) => this.#complaints.add(chunk));
      child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    });
  }

  #read(chunk: Buffer): void {
    try {
      this.#received.append(chunk);
    } catch (error) {
      // More than the buffer takes, without an end of the line: this is no MCP.
      this.#fail(error);
      void this.close();
      return;
    }
    for (;;) {
      try {
        const message = this.#received.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      } catch (error) {
        // One line that is no message, such as a greeting. The next one may be.
        this.#fail(error);
      }
    }
  }

  #fail(error: unknown): void {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#group?.process.stdin;
    if (!stdin?.writable) return Promise.reject(new Error('the MCP server has ended'));
    return new Promise((resolve, reject) => {
      stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the server with all that it has started; does not wait for them. */
  close(): Promise<void> {
    this.#group?.process.stdin?.end();
    this.#group?.end();
    return Promise.resolve();
  }
}
