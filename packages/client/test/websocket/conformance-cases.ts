// Cases for the client's side of RFC 6455, after the groups of the Autobahn test suite (1 framing, 2 pings and pongs, 3 reserved bits, 4 opcodes,
// 5 fragmentation, 6 UTF-8, 7 closing, 9 limits). `id` is the case of that suite, where there is one.

/** One frame of the server. */
export interface ServerFrame {
  opcode: number;
  payload: Buffer;
  final: boolean;
  /** The bits RSV1 to RSV3, as a number from 0 to 7. */
  reserved: number;
}

/** What the client must make of the frames. */
export type Expected =
  | ['message', string]
  | ['ping', Buffer]
  | ['pong', Buffer]
  | ['close', number, string]
  /** The client fails the connection with this close code. */
  | ['failed', number];

export interface ConformanceCase {
  id: string;
  name: string;
  frames: readonly ServerFrame[];
  expected: readonly Expected[];
  /** Why this client deliberately does something else than the suite asks for. */
  deviation?: string;
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

function frameOf(opcode: number, payload: Buffer | string = '', more: Partial<ServerFrame> = {}): ServerFrame {
  return { opcode, payload: Buffer.from(payload), final: true, reserved: 0, ...more };
}

const text = (payload: Buffer | string, final = true): ServerFrame => frameOf(opcodes.text, payload, { final });
const next = (payload: Buffer | string, final = false): ServerFrame =>
  frameOf(opcodes.continuation, payload, { final });
const ping = (payload: Buffer | string = ''): ServerFrame => frameOf(opcodes.ping, payload);
const pong = (payload: Buffer | string = ''): ServerFrame => frameOf(opcodes.pong, payload);

function close(code?: number, reason: Buffer | string = ''): ServerFrame {
  if (code === undefined) return frameOf(opcodes.close);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return frameOf(opcodes.close, Buffer.concat([head, Buffer.from(reason)]));
}

const heard = (payload: Buffer | string): Expected => ['message', payload.toString()];
const protocolError: Expected = ['failed', 1002];
const invalidData: Expected = ['failed', 1007];

const framing: ConformanceCase[] = [0, 125, 126, 127, 128, 65_535, 65_536].map((length, index) => ({
  id: `1.1.${index + 1}`,
  name: `a text of ${length} bytes`,
  frames: [text('*'.repeat(length))],
  expected: [heard('*'.repeat(length))],
}));

const binary = Buffer.from([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]);
const pings: ConformanceCase[] = [
  { id: '2.1', name: 'a ping without payload', frames: [ping()], expected: [['ping', Buffer.alloc(0)]] },
  { id: '2.2', name: 'a ping with a text', frames: [ping('Hello')], expected: [['ping', Buffer.from('Hello')]] },
  { id: '2.3', name: 'a ping with bytes that are no text', frames: [ping(binary)], expected: [['ping', binary]] },
  {
    id: '2.4',
    name: 'a ping of 125 bytes',
    frames: [ping(Buffer.alloc(125, 0xfe))],
    expected: [['ping', Buffer.alloc(125, 0xfe)]],
  },
  { id: '2.5', name: 'a ping of 126 bytes', frames: [ping(Buffer.alloc(126, 0xfe))], expected: [protocolError] },
  { id: '2.7', name: 'a pong that nobody asked for', frames: [pong()], expected: [['pong', Buffer.alloc(0)]] },
  {
    id: '2.9',
    name: 'a pong that nobody asked for, then a ping',
    frames: [pong('unsolicited'), ping('asked')],
    expected: [
      ['pong', Buffer.from('unsolicited')],
      ['ping', Buffer.from('asked')],
    ],
  },
  {
    id: '2.10',
    name: 'ten pings',
    frames: Array.from({ length: 10 }, (_, index) => ping(`${index}`)),
    expected: Array.from({ length: 10 }, (_, index): Expected => ['ping', Buffer.from(`${index}`)]),
  },
];

const reservedBits: ConformanceCase[] = [1, 2, 3, 4, 5, 6, 7].flatMap((reserved) => [
  {
    id: `3.${reserved}`,
    name: `a text with the reserved bits ${reserved.toString(2).padStart(3, '0')}, between two texts`,
    frames: [text('before'), frameOf(opcodes.text, 'Hello', { reserved }), text('after')],
    expected: [heard('before'), protocolError],
  },
  {
    id: `3.${reserved}`,
    name: `a ping with the reserved bits ${reserved.toString(2).padStart(3, '0')}`,
    frames: [frameOf(opcodes.ping, '', { reserved })],
    expected: [protocolError],
  },
]);

const reservedOpcodes: ConformanceCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  {
    id: opcode < 8 ? `4.1.${opcode - 2}` : `4.2.${opcode - 10}`,
    name: `the reserved opcode ${opcode}, after a text`,
    frames: [text('before'), frameOf(opcode), ping()],
    expected: [heard('before'), protocolError],
  },
  {
    id: opcode < 8 ? `4.1.${opcode - 2}` : `4.2.${opcode - 10}`,
    name: `the reserved opcode ${opcode} with a payload`,
    frames: [frameOf(opcode, 'reserved')],
    expected: [protocolError],
  },
]);

const fragmentation: ConformanceCase[] = [
  {
    id: '5.1',
    name: 'a ping in two fragments',
    frames: [frameOf(opcodes.ping, 'a', { final: false }), next('b', true)],
    expected: [protocolError],
  },
  {
    id: '5.2',
    name: 'a pong in two fragments',
    frames: [frameOf(opcodes.pong, 'a', { final: false }), next('b', true)],
    expected: [protocolError],
  },
  {
    id: '5.3',
    name: 'a text in two fragments',
    frames: [text('one', false), next('two', true)],
    expected: [heard('onetwo')],
  },
  {
    id: '5.6',
    name: 'a text in two fragments, with a ping between',
    frames: [text('one', false), ping('between'), next('two', true)],
    expected: [['ping', Buffer.from('between')], heard('onetwo')],
  },
  {
    id: '5.9',
    name: 'a last continuation of nothing',
    frames: [next('stray', true), text('Hello')],
    expected: [protocolError],
  },
  { id: '5.12', name: 'a continuation of nothing', frames: [next('stray'), text('Hello')], expected: [protocolError] },
  {
    id: '5.15',
    name: 'a text in two fragments, then a continuation of nothing',
    frames: [text('one', false), next('two', true), next('stray'), text('Hello', false), next('late', true)],
    expected: [heard('onetwo'), protocolError],
  },
  {
    id: '5.18',
    name: 'a second text before the first has ended',
    frames: [text('one', false), text('two')],
    expected: [protocolError],
  },
  {
    id: '5.19',
    name: 'a text in five fragments, with pings between',
    frames: [text('1', false), next('2'), ping('a'), next('3'), next('4'), ping('b'), next('5', true)],
    expected: [['ping', Buffer.from('a')], ['ping', Buffer.from('b')], heard('12345')],
  },
  {
    id: '5',
    name: 'a close frame between two fragments',
    frames: [text('one', false), close(1000, 'bye'), next('two', true)],
    expected: [['close', 1000, 'bye']],
  },
  {
    id: '1.2.2',
    name: 'a binary message',
    frames: [frameOf(opcodes.binary, binary)],
    expected: [['failed', 1003]],
    deviation: 'this wire has no binary messages (RFC 6455, 7.4.1: 1003)',
  },
];

/** Bytes that are UTF-8, by RFC 3629. */
const validUtf8: Readonly<Record<string, string>> = {
  '6.2': '48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121',
  '6.5': 'cebae1bdb9cf83cebcceb5',
  '6.6.1': '00',
  '6.6.2': 'c280',
  '6.6.3': 'e0a080',
  '6.6.4': 'f0908080',
  '6.7.1': '7f',
  '6.7.2': 'dfbf',
  '6.7.3': 'efbfbf',
  '6.7.4': 'f48fbfbf',
  '6.9.1': 'ed9fbf',
  '6.9.2': 'ee8080',
  '6.9.3': 'efbfbd',
  '6.22.1': 'efbfbe',
  '6.22.3': 'f09fbfbe',
  '6.22.33': 'f48fbfbe',
  '6.23.1': 'efbfb9',
};

/** Bytes that are not: cut off, overlong, of surrogates, beyond U+10FFFF, or bytes that UTF-8 does not have. */
const invalidUtf8: Readonly<Record<string, string>> = {
  '6.3': 'cebae1bdb9cf83cebcceb5eda080656469746564',
  '6.8.1': 'f888808080',
  '6.8.2': 'fc8480808080',
  '6.10.1': 'f7bfbfbf',
  '6.10.2': 'fbbfbfbfbf',
  '6.10.3': 'fdbfbfbfbfbf',
  '6.11.5': 'f4908080',
  '6.12.1': '80',
  '6.12.2': 'bf',
  '6.12.8': '8081828384858687',
  '6.13.1': 'c020c120c220',
  '6.14.1': 'c0',
  '6.14.2': 'e080',
  '6.14.3': 'f08080',
  '6.14.6': 'df',
  '6.14.7': 'efbf',
  '6.14.8': 'f7bfbf',
  '6.15.1': 'c0e080f08080f8808080',
  '6.16.1': 'fe',
  '6.16.2': 'ff',
  '6.16.3': 'fefeffff',
  '6.17.1': 'c0af',
  '6.17.2': 'e080af',
  '6.17.3': 'f08080af',
  '6.18.1': 'c1bf',
  '6.18.2': 'e09fbf',
  '6.18.3': 'f08fbfbf',
  '6.19.1': 'c080',
  '6.20.1': 'eda080',
  '6.20.2': 'edadbf',
  '6.20.3': 'edae80',
  '6.20.4': 'edafbf',
  '6.20.5': 'edb080',
  '6.20.7': 'edbfbf',
  '6.21.1': 'eda080edb080',
  '6.21.8': 'edafbfedbfbf',
};

/** A payload as a text, and in fragments of one byte each, so that every character is cut. */
function utf8Cases(table: Readonly<Record<string, string>>, isValid: boolean): ConformanceCase[] {
  return Object.entries(table).flatMap(([id, hex]) => {
    const bytes = Buffer.from(hex, 'hex');
    const expected = [isValid ? heard(bytes) : invalidData];
    const singles = [...bytes].map((byte, index) =>
      (index === 0 ? text : next)(Buffer.from([byte]), index === bytes.length - 1),
    );
    return [
      { id, name: `${isValid ? '' : 'in'}valid UTF-8 ${hex}, in one frame`, frames: [text(bytes)], expected },
      { id, name: `${isValid ? '' : 'in'}valid UTF-8 ${hex}, a byte a fragment`, frames: singles, expected },
    ];
  });
}

const utf8: ConformanceCase[] = [
  {
    id: '6.1.2',
    name: 'a text of three empty fragments',
    frames: [text('', false), next(''), next('', true)],
    expected: [heard('')],
  },
  {
    id: '6.1.3',
    name: 'a text whose first and last fragments are empty',
    frames: [text('', false), next('middle'), next('', true)],
    expected: [heard('middle')],
  },
  {
    id: '6.4.1',
    name: 'invalid UTF-8 in the second of three fragments',
    frames: [text('\u03ba', false), next(Buffer.from('f4908080', 'hex')), next('edited', true)],
    expected: [invalidData],
  },
  ...utf8Cases(validUtf8, true),
  ...utf8Cases(invalidUtf8, false),
];

const closing: ConformanceCase[] = [
  { id: '7.1.2', name: 'two close frames', frames: [close(1000), close(1001)], expected: [['close', 1000, '']] },
  { id: '7.1.3', name: 'a ping after a close frame', frames: [close(1000), ping()], expected: [['close', 1000, '']] },
  {
    id: '7.1.4',
    name: 'a text after a close frame',
    frames: [close(1000), text('late')],
    expected: [['close', 1000, '']],
  },
  { id: '7.3.1', name: 'a close frame without payload', frames: [close()], expected: [['close', 1005, '']] },
  {
    id: '7.3.2',
    name: 'a close frame of one byte',
    frames: [frameOf(opcodes.close, Buffer.from([0x03]))],
    expected: [protocolError],
  },
  {
    id: '7.3.4',
    name: 'a close frame with a reason',
    frames: [close(1000, 'Hello')],
    expected: [['close', 1000, 'Hello']],
  },
  {
    id: '7.3.5',
    name: 'a close frame with a reason of 123 bytes',
    frames: [close(1000, '*'.repeat(123))],
    expected: [['close', 1000, '*'.repeat(123)]],
  },
  {
    id: '7.3.6',
    name: 'a close frame with a reason of 124 bytes',
    frames: [close(1000, '*'.repeat(124))],
    expected: [protocolError],
  },
  {
    id: '7.5.1',
    name: 'a close frame whose reason is not UTF-8',
    frames: [close(1000, Buffer.from('c328', 'hex'))],
    expected: [['close', 1000, '\ufffd(']],
    deviation: 'servers cut a reason within a character; the close code counts all the same',
  },
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(
    (code, index): ConformanceCase => ({
      id: `7.7.${index + 1}`,
      name: `a close frame with the valid code ${code}`,
      frames: [close(code)],
      expected: [['close', code, '']],
    }),
  ),
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535].map((code, index): ConformanceCase => ({
    id: code < 5000 ? `7.9.${index + 1}` : `7.13.${index - 8}`,
    name: `a close frame with the invalid code ${code}`,
    frames: [close(code)],
    expected: [protocolError],
  })),
];

/** The reader of these tests takes messages of so many bytes. */
export const maxBytes = 1024 * 1024;

const limits: ConformanceCase[] = [
  ...[65_536, 262_144, maxBytes].map((length, index): ConformanceCase => ({
    id: `9.1.${index + 1}`,
    name: `a text of ${length} bytes`,
    frames: [text('*'.repeat(length))],
    expected: [heard('*'.repeat(length))],
  })),
  ...[64, 4096, 65_536].map((length): ConformanceCase => ({
    id: '9.3',
    name: `a text of 65536 bytes in fragments of ${length}`,
    frames: Array.from({ length: 65_536 / length }, (_, index) =>
      (index === 0 ? text : next)('*'.repeat(length), index === 65_536 / length - 1),
    ),
    expected: [heard('*'.repeat(65_536))],
  })),
  {
    id: '9',
    name: 'a text of one byte more than a message may have',
    frames: [text('*'.repeat(maxBytes + 1))],
    expected: [['failed', 1009]],
  },
  {
    id: '9',
    name: 'fragments that are together one byte more than a message may have',
    frames: [text('*'.repeat(maxBytes), false), next('*', true)],
    expected: [['failed', 1009]],
  },
];

export const conformanceCases: readonly ConformanceCase[] = [
  ...framing,
  ...pings,
  ...reservedBits,
  ...reservedOpcodes,
  ...fragmentation,
  ...utf8,
  ...closing,
  ...limits,
];

/** The bytes of a frame, as a server writes it: unmasked (RFC 6455, 5.2). */
export function encodeServerFrame({ opcode, payload, final, reserved }: ServerFrame): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}
