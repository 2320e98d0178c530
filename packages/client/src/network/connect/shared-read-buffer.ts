import { Socket as NetSocket } from 'node:net';
import type { OnReadOpts, Socket } from 'node:net';

/** Called for each chunk as it is read. Its memory is valid during the call only: the next chunk, of any socket, is read into it. */
export type BytesListener = (bytes: Buffer) => void;

/**
 * The memory into which every socket is read, one chunk at a time. Node by itself allocates 64 KiB for each read, and takes it through a stream.
 *
 * Kept for its measured worth: without it an event over a WebSocket takes 1.2 times the CPU (rows `short`, `longer` and `paced-16`, Node 24.21, 2026-11-30).
 */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

/** Windows reads ahead into the buffer of each socket, so that one buffer cannot serve several. */
const readsAhead = process.platform === 'win32';

/**
 * Whether sockets are Node's own. Libraries that mock the network (nock from version 15 on, by @mswjs/interceptors) replace `connect`, and swap the handle
 * below a socket: Node would read a socket with memory of its own from a handle that is not connected.
 */
function isNodesOwn(): boolean {
  const connect: unknown = Reflect.get(NetSocket.prototype, 'connect');
  // Told by its source, because a library may have been loaded first. If Node changes that source, sockets are read as streams, which is only slower.
  return Function.prototype.toString.call(connect).includes('normalizeArgs(');
}

/** The listener of a socket's bytes; undefined while they go into its stream. */
interface ByteSink {
  listener: BytesListener | undefined;
}

const sinks = new WeakMap<Socket, ByteSink>();

/** Opens a socket that is read as a stream until `readBytes` is called. `open` passes the option on to Node. */
export function openWithSharedBuffer(open: (onread: OnReadOpts | undefined) => Socket): Socket {
  if (readsAhead || !isNodesOwn()) return open(undefined);
  const sink: ByteSink = { listener: undefined };
  const callback = (length: number): boolean => {
    const bytes = memory.subarray(0, length);
    if (sink.listener === undefined) return socket.push(Buffer.from(bytes));
    sink.listener(bytes);
    return true;
  };
  const socket = open({ buffer: memory, callback });
  sinks.set(socket, sink);
  return socket;
}

/**
 * Gives all bytes of a socket to `listener` from now on, buffered ones first. A socket with TLS inside another one stays a stream, because Node has no such
 * option there; `listener` gets its chunks all the same.
 */
export function readBytes(socket: Socket, listener: BytesListener): void {
  socket.on('data', listener);
  socket.read();
  const sink = sinks.get(socket);
  if (sink !== undefined) sink.listener = listener;
}
