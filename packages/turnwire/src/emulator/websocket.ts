import type { WebSocket } from 'ws';
import type { Limits } from './options.js';
import { Refusal } from './refusal.js';
import { runTurn, type Carriage, type Emulation, type Lineage, type Received } from './turn.js';
import { isRecord, type Frame } from './wire.js';

/** Above this many unsent bytes the turn waits for its client. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * Serves one socket: its creates one after another in order of arrival (P75), each answered on it whole before the next
 * begins. The socket remembers its latest response until it closes (P70).
 */
export function serveWebSocket(emulation: Emulation, limits: Limits, connection: number, socket: WebSocket): void {
  const opened = performance.now();
  const lineage: Lineage = { latest: undefined };
  const left = new AbortController();
  // What is refused waits as well: errors keep the order of their frames.
  const queue: Received[] = [];
  let queuedBytes = 0;
  let running = false;

  socket.on('error', () => {
    // ws closes the socket itself, with the code that fits (1009 for a frame that is too large).
  });
  socket.once('close', () => {
    left.abort();
    queue.length = 0;
    emulation.memory.release(lineage.latest);
    lineage.latest = undefined;
  });
  socket.on('message', (raw: Buffer, isBinary: boolean) => {
    // What was in flight when the socket began to close is not served any more.
    if (left.signal.aborted || socket.readyState !== socket.OPEN) return;
    const waiting = read(raw, isBinary);
    if (waiting === undefined) return;
    if (queue.length >= limits.queuedTurns || queuedBytes + waiting.bytes > limits.queuedBytes) {
      const message = `More than ${limits.queuedTurns} creates or ${limits.queuedBytes} bytes wait on this connection.`;
      refuse(new Refusal(message, { status: 429, code: 'websocket_queue_limit_reached' }));
      socket.close(1008, 'too many creates wait');
      return;
    }
    queue.push(waiting);
    queuedBytes += waiting.bytes;
    void run();
  });

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      queuedBytes -= next.bytes;
      if (performance.now() - opened < limits.connectionAgeMs) {
        await runTurn(emulation, next, carriage);
        continue;
      }
      queue.length = 0;
      await runTurn(emulation, { ...next, refusal: tooOld(limits.connectionAgeMs) }, carriage);
      socket.close(1000, 'connection limit reached');
    }
    running = false;
  }

  function send(frame: Frame): Promise<void> | undefined {
    if (socket.readyState !== socket.OPEN) return undefined;
    if (socket.bufferedAmount < HIGH_WATER_BYTES) {
      socket.send(frame.text);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      socket.send(frame.text, (error) => {
        if (!error) return resolve();
        // The write fails before 'close' is heard: the turn was not refused, its client has gone.
        left.abort();
        reject(error);
      });
    });
  }

  function refuse(refusal: Refusal): void {
    // A client that is gone needs no error: 'close' follows and ends what runs.
    send(refusal.frame())?.catch(() => undefined);
  }

  const carriage: Carriage = {
    transport: 'websocket',
    connection,
    lineage,
    place: lineage,
    signal: left.signal,
    send,
    finish: () => undefined,
    refuse,
  };
}

function tooOld(ageMs: number): Refusal {
  const minutes = Number((ageMs / 60_000).toPrecision(3));
  const message = `Responses websocket connection limit reached (${minutes} minutes). Create a new websocket connection to continue.`;
  return new Refusal(message, { code: 'websocket_connection_limit_reached' });
}

/** Undefined for a frame that needs no answer. */
function read(raw: Buffer, isBinary: boolean): Received | undefined {
  const bytes = raw.byteLength;
  let body: unknown;
  const refused = (message: string, code: string, param: string | null = null): Received => ({
    body,
    bytes,
    refusal: new Refusal(message, { code, param }),
  });
  if (isBinary) return refused('A message must be a text frame, not a binary one.', 'invalid_frame');
  try {
    body = JSON.parse(raw.toString('utf8'));
  } catch {
    return refused('The message is not JSON.', 'invalid_json');
  }
  if (!isRecord(body)) return refused('The message must be a JSON object.', 'invalid_type');
  const { type } = body;
  // Codex reports what it has read; servers take no notice (P33).
  if (type === 'response.processed') return undefined;
  if (type === undefined) return refused("Missing required parameter: 'type'.", 'missing_required_parameter', 'type');
  if (type !== 'response.create') {
    const said = JSON.stringify(type);
    return refused(
      `Invalid value for 'type': ${said}; supported values are 'response.create'.`,
      'invalid_value',
      'type',
    );
  }
  return { bytes, body };
}
