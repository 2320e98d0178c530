import { createServer, connect, type Socket } from 'node:net';
import { CongestionWindow } from './base/congestion-window.js';
import { EmulatorError } from './base/errors.js';
import { clearTimeout, machineTime, setTimeout } from './base/timers.js';
import { portOf } from './listener/port.js';

export interface LinkOptions {
  /** The port on 127.0.0.1 to which the link leads. */
  readonly to: number;
  /** The round-trip time in milliseconds, half of it in each direction. A connection takes one round trip to open. @default 0 */
  readonly rttMs?: number | undefined;
  /** The bandwidth from clients to the server in bits per second, shared by all connections of the link. @default 0: unlimited */
  readonly uplinkBitsPerSecond?: number | undefined;
  /**
   * The initial congestion window of TCP's slow start, for each direction of each connection: at first at most this many bytes are in flight, and
   * the window grows by the bytes that are acknowledged, up to 4 MiB. Linux begins with ten segments, 14,480 bytes (RFC 6928).
   *
   * @default 0: no congestion window
   */
  readonly windowBytes?: number | undefined;
  /**
   * The idle time in milliseconds after which a direction begins with `windowBytes` again (RFC 5681, section 4.1). Linux does so after one
   * retransmission timeout, which is 200 ms or more.
   *
   * @default Infinity: never
   */
  readonly windowIdleMs?: number | undefined;
}

/** A running link. */
export interface Link extends AsyncDisposable {
  /** The port of 127.0.0.1 to which clients connect instead of `to`. */
  readonly port: number;
  /** The number of bytes that were read from clients. */
  readonly sentBytes: number;
  /** The number of bytes that were read from the server. */
  readonly receivedBytes: number;
  /** The number of connections that were accepted. */
  readonly connections: number;
  /** Cuts all connections at once and stops listening. May be called again. */
  close(): Promise<void>;
}

/** The maximum number of bytes that the link holds for one direction of a connection. Beyond it, the sender's socket is paused. */
const maxUnderWayBytes = 16 * 1024 * 1024;

/** See `start.ts`. */
export async function startLink({
  to,
  rttMs = 0,
  uplinkBitsPerSecond = 0,
  windowBytes = 0,
  windowIdleMs = Infinity,
}: LinkOptions): Promise<Link> {
  if (!Number.isInteger(to) || to < 1 || to > 65_535) throw invalid('to', 'a port, from 1 to 65535');
  if (!(rttMs >= 0 && rttMs <= 60_000)) throw invalid('rttMs', 'milliseconds, from 0 to 60000');
  if (!(uplinkBitsPerSecond >= 0 && uplinkBitsPerSecond < Infinity)) throw invalid('uplinkBitsPerSecond', '0 or more');
  if (!(windowBytes >= 0 && windowBytes < Infinity)) throw invalid('windowBytes', 'bytes, 0 or more');
  if (!(windowIdleMs >= 0)) throw invalid('windowIdleMs', 'milliseconds, 0 or more');

  const counted = { sentBytes: 0, receivedBytes: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const oneWayMs = rttMs / 2;
  const uplink = serializer(uplinkBitsPerSecond);
  const window = () => (windowBytes === 0 ? undefined : new CongestionWindow(windowBytes, windowIdleMs));

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  };
  // The client's socket is read only after the time of a handshake. Until then the bytes of the client wait in the socket.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    counted.connections += 1;
    track(client);
    const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    track(upstream);
    relay(upstream, client, {
      delayMs: () => oneWayMs,
      ackMs: oneWayMs,
      window: window(),
      count: (bytes) => (counted.receivedBytes += bytes),
    });
    const begin = () => {
      relay(client, upstream, {
        delayMs: (bytes) => uplink(bytes) + oneWayMs,
        ackMs: oneWayMs,
        window: window(),
        count: (bytes) => (counted.sentBytes += bytes),
      });
    };
    // The error of a client that leaves during the handshake must be handled.
    client.on('error', () => undefined);
    if (rttMs === 0) return begin();
    const handshake = setTimeout(() => {
      client.off('close', giveUp);
      begin();
    }, rttMs);
    const giveUp = () => {
      clearTimeout(handshake);
      upstream.resetAndDestroy();
    };
    client.once('close', giveUp);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });

  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
    return closed;
  };
  return {
    port: portOf(server),
    get sentBytes() {
      return counted.sentBytes;
    },
    get receivedBytes() {
      return counted.receivedBytes;
    },
    get connections() {
      return counted.connections;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function invalid(option: string, expected: string): EmulatorError {
  return new EmulatorError('invalid_option', `The link's option "${option}" must be ${expected}.`);
}

/** Returns a function that queues bytes on the uplink. It returns the milliseconds until the last of these bytes has been sent. */
function serializer(bitsPerSecond: number): (bytes: number) => number {
  if (bitsPerSecond === 0) return () => 0;
  let free = 0;
  return (bytes) => {
    const now = machineTime();
    free = Math.max(free, now) + (bytes * 8 * 1000) / bitsPerSecond;
    return free - now;
  };
}

/** What one direction carries: bytes, or the end of the direction. */
type Transfer = { readonly due: number } & (
  | { readonly kind: 'bytes'; readonly chunk: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' }
);

/** One direction of one connection. */
interface Direction {
  /** The milliseconds until bytes that are sent now arrive. */
  readonly delayMs: (bytes: number) => number;
  /** The milliseconds from their arrival until the sender receives the acknowledgement. */
  readonly ackMs: number;
  readonly window: CongestionWindow | undefined;
  readonly count: (bytes: number) => void;
}

/** Carries one direction of a connection. Each transfer is delivered when it is due, after the one before it. */
function relay(from: Socket, to: Socket, { delayMs, ackMs, window, count }: Direction): void {
  /** The chunks that were read and that the window does not let pass yet. */
  const waiting: Buffer[] = [];
  const underWay: Transfer[] = [];
  /** The number of bytes in `waiting` and `underWay`. */
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let blocked = false;
  let end: 'end' | 'reset' | undefined;

  const deliver = () => {
    timer = undefined;
    for (let transfer = underWay[0]; transfer !== undefined; transfer = underWay[0]) {
      if (blocked) return;
      const wait = transfer.due - machineTime();
      if (wait > 0) {
        timer = setTimeout(deliver, wait);
        return;
      }
      underWay.shift();
      write(transfer);
    }
  };
  const write = (transfer: Transfer) => {
    if (to.destroyed) return;
    switch (transfer.kind) {
      case 'end':
        to.end();
        break;
      case 'reset':
        to.resetAndDestroy();
        break;
      case 'bytes':
        blocked = !to.write(transfer.chunk);
        heldBytes -= transfer.chunk.byteLength;
        if (heldBytes <= maxUnderWayBytes && from.isPaused()) from.resume();
        break;
    }
  };
  const enqueue = (transfer: Transfer) => {
    underWay.push(transfer);
    if (timer === undefined && !blocked) deliver();
  };
  const transmit = (chunk: Buffer) => {
    const now = machineTime();
    const delay = delayMs(chunk.byteLength);
    enqueue({ kind: 'bytes', chunk, due: now + delay });
    if (window === undefined) return;
    window.sent(chunk.byteLength, now);
    setTimeout(() => {
      window.acknowledged(chunk.byteLength);
      send();
    }, delay + ackMs);
  };
  const send = () => {
    for (let chunk = waiting[0]; chunk !== undefined; chunk = waiting[0]) {
      const room = window?.room(machineTime()) ?? Infinity;
      if (room <= 0) return;
      if (chunk.byteLength <= room) waiting.shift();
      else waiting[0] = chunk.subarray(room);
      transmit(chunk.byteLength <= room ? chunk : chunk.subarray(0, room));
    }
    if (end === undefined) return;
    enqueue({ kind: end, due: machineTime() + delayMs(0) });
    end = undefined;
  };

  let ended = false;
  from.on('data', (chunk: Buffer) => {
    count(chunk.byteLength);
    heldBytes += chunk.byteLength;
    if (heldBytes > maxUnderWayBytes) from.pause();
    waiting.push(chunk);
    send();
  });
  from.once('end', () => {
    ended = true;
    end = 'end';
    send();
  });
  from.on('error', () => {
    // The event 'close' follows, and resets the other end.
  });
  from.once('close', (failed: boolean) => {
    if (ended && !failed) return;
    // A reset overtakes the bytes that were not sent yet.
    waiting.length = 0;
    end = 'reset';
    send();
  });
  to.on('drain', () => {
    blocked = false;
    deliver();
  });
  to.once('close', () => {
    clearTimeout(timer);
    waiting.length = 0;
    underWay.length = 0;
    blocked = true;
  });
  from.resume();
}
