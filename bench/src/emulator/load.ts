import { once } from 'node:events';
import { Agent, request as send } from 'node:http';
import { WebSocket } from 'ws';

/** The load on a server: it keeps connections open, and reads answers without parsing them. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Runs one turn over HTTP; resolves with the text of the answer. */
  post(body: string | Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = send(`${this.#url}/responses`, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`status ${response.statusCode}: ${text.slice(0, 300)}`));
        });
      });
      request.end(body);
    });
  }

  /** Opens a WebSocket whose turns run one after another. */
  async socket(): Promise<{ turn(create: object): Promise<string>; close(): void }> {
    const webSocket = new WebSocket(`${this.#url.replace('http', 'ws')}/responses`);
    await once(webSocket, 'open');
    let ended: (text: string) => void = () => undefined;
    webSocket.on('message', (raw: Buffer) => {
      const text = raw.toString('latin1');
      if (text.startsWith('{"type":"response.completed"')) ended(raw.toString());
      else if (text.startsWith('{"type":"error"')) throw new Error(text);
    });
    return {
      turn: (create) =>
        new Promise((resolve) => {
          ended = resolve;
          webSocket.send(JSON.stringify({ type: 'response.create', ...create }));
        }),
      close: () => webSocket.terminate(),
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Repeats something `times` times, `atOnce` at the same time. */
export async function repeat(times: number, atOnce: number, run: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < times) {
      next += 1;
      await run(next - 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
