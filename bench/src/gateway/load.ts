import { Agent, request as send } from 'node:http';
import { eventCount } from './protocol.js';

export interface Answered {
  /** Milliseconds until the first event. */
  firstMs: number;
  text: string;
}

/** Turns over SSE, on connections that are kept open. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(`${url}/responses`);
  }

  /** @throws Error for an answer that lacks events */
  turn(body: Buffer): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const request = send(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          authorization: 'Bearer of-the-bench',
          'content-length': body.length,
        },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        let firstMs = 0;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => {
          if (chunks.length === 0) firstMs = performance.now() - begun;
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          // opencodex ends a stream as the older API did.
          const text = Buffer.concat(chunks)
            .toString('latin1')
            .replace(/data: \[DONE\]\n\n$/, '');
          const events = text.split('\n\n').length - 1;
          if (response.statusCode === 200 && events === eventCount) resolve({ firstMs, text });
          else reject(new Error(`status ${response.statusCode}, ${events} events: ${text.slice(0, 300)}`));
        });
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A client that sends its whole history with every turn. */
export class Conversation {
  readonly #load: Pick<Load, 'turn'>;
  readonly #model: string;
  readonly #name: string | number;
  /** The items of the history as JSON, separated by commas. */
  #items: string;
  #turns = 0;
  /** The bytes of all bodies so far. */
  sentBytes = 0;

  /** @param bytes the size of the history at the beginning */
  constructor(load: Pick<Load, 'turn'>, name: string | number, bytes: number, model: string) {
    this.#load = load;
    this.#model = model;
    this.#name = name;
    const items: string[] = [];
    for (let left = bytes; left > 0; left -= itemBytes)
      items.push(
        message(
          items.length % 2 === 0 ? 'user' : 'assistant',
          `${name}.${items.length} `.padEnd(itemBytes, 'history '),
        ),
      );
    this.#items = items.join(',');
  }

  /** @param added the bytes that the turn adds to the history */
  async turn(added: number): Promise<Answered> {
    const said = message('user', `${this.#name}, turn ${(this.#turns += 1)} `.padEnd(added, 'news '));
    this.#items = this.#items === '' ? said : `${this.#items},${said}`;
    const body = Buffer.from(`{"model":"${this.#model}","stream":true,"input":[${this.#items}]}`);
    this.sentBytes += body.length;
    const answered = await this.#load.turn(body);
    const data = answered.text.slice(answered.text.lastIndexOf('data: ') + 6);
    const { response } = JSON.parse(data) as { response: { output: object[] } };
    this.#items += `,${response.output.map((item) => JSON.stringify(item)).join(',')}`;
    return answered;
  }
}

const itemBytes = 4000;

function message(role: string, content: string): string {
  return JSON.stringify({ type: 'message', role, content });
}
