import { Socket as NetSocket } from 'node:net';
import { beginTick } from '../../base/clock.js';
import type { OnReadOpts, Socket } from 'node:net';

/**
 * Is listener of each piece of bytes as it is read. The memory is lent for the length of the call: the next piece, of whichever socket, is read into the
 * same. What is kept must be copied.
 */
export type BytesListener = (bytes: Buffer) => void;

/**
 * Where the bytes of all sockets are put, one read at a time. By itself Node gives each read a memory of 64 KiB, which it cuts down afterwards, and
 * takes it through a stream: where events come one by one, a quarter of what each costs.
 */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

/** Windows reads ahead into the buffer of each socket, so that one buffer cannot serve several. */
const readsAhead = process.platform === 'win32';

/**
 * Whether sockets are Node's own. Libraries that mock the network (nock from version 15 on, by @mswjs/interceptors) put a `connect` of theirs in place of
 * Node's, and swap the handle below a socket: Node reads a socket that has a memory of its own from a handle which is not connected then.
 */
function isNodesOwn(): boolean {
  const connect: unknown = Reflect.get(NetSocket.prototype, 'connect');
  // By its source, since a library may have come first. Where Node writes it otherwise one day, sockets are read as streams, which is only slower.
  return Function.prototype.toString.call(connect).includes('normalizeArgs(');
}

/** The listener of a socket's bytes; undefined while they go into its stream. */
interface Target {
  take: BytesListener | undefined;
}

const targets = new WeakMap<Socket, Target>();

/** Opens a socket that is read as a stream until `readBytes` is called. `open` passes the option on to Node. */
export function openWithSharedBuffer(open: (onread: OnReadOpts | undefined) => Socket): Socket {
  if (readsAhead || !isNodesOwn()) return open(undefined);
  const intake: Target = { take: undefined };
  const callback = (length: number): boolean => {
    const bytes = memory.subarray(0, length);
    if (intake.take === undefined) return socket.push(Buffer.from(bytes));
    intake.take(bytes);
    return true;
  };
  const socket = open({ buffer: memory, callback });
  targets.set(socket, intake);
  return socket;
}

/**
 * From now on all that comes is `take`'s, what lies in the stream first. Of no use to a `socket` that speaks TLS inside of another one, for Node has
 * no such option there: it goes on as a stream, and `take` is listener of its pieces all the same.
 */
export function readBytes(socket: Socket, take: BytesListener): void {
  const listener: BytesListener = (bytes) => {
    beginTick();
    take(bytes);
  };
  socket.on('data', listener);
  socket.read();
  const intake = targets.get(socket);
  if (intake !== undefined) intake.take = listener;
}
