import { createHash, generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  /** PEM, both. A server's, and where it is trusted, the client's `ca`. */
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** The host or address it is for. @default 127.0.0.1 */
  host?: string;
  /** Its last day lies in the past. @default false */
  expired?: boolean;
}

/**
 * A self-signed certificate (X.509 v3, ECDSA P-256), made anew for each test, so that none in this repository has a day on which the
 * tests begin to fail.
 */
export function selfSigned({ host = '127.0.0.1', expired = false }: CertificateOptions = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const day = 86_400_000;
  const [from, to] = expired ? [-20, -10] : [-1, 10];
  const name = sequence(set(sequence(oid('550403'), tlv(0x0c, Buffer.from('turnwire test')))));
  const algorithm = sequence(oid('2a8648ce3d040302'));
  // The subject's alternative name: an address is 7, a host name 2 (RFC 5280, section 4.2.1.6).
  const address = /^[\d.]+$/.test(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, host);
  const extensions = sequence(
    sequence(oid('551d11'), tlv(0x04, sequence(address))),
    sequence(oid('551d13'), tlv(0x01, Buffer.from([0xff])), tlv(0x04, sequence(tlv(0x01, Buffer.from([0xff]))))),
  );
  const serial = createHash('sha256').update(spki).digest().subarray(0, 8);
  // A positive number, without a leading zero.
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    algorithm,
    name,
    sequence(time(Date.now() + from * day), time(Date.now() + to * day)),
    name,
    spki,
    tlv(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function tlv(tag: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as Buffer);
  const length =
    bytes.length < 128
      ? [bytes.length]
      : bytes.length < 256
        ? [0x81, bytes.length]
        : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function set(...parts: Buffer[]): Buffer {
  return tlv(0x31, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function time(at: number): Buffer {
  return tlv(
    0x17,
    new Date(at)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, '')
      .slice(2),
  );
}
