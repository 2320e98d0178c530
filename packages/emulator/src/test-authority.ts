import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A certificate and its private key, both in PEM, as `tls.createServer` takes them. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificateOptions {
  /** The host names and IPv4 addresses for which the certificate is valid. The first one is its subject. */
  readonly hosts: readonly string[];
  /** Whether the certificate expired ten days ago. @default false: it is valid for ten days */
  readonly expired?: boolean | undefined;
}

/** See `start.ts`. */
export class TestAuthority {
  /** The certificate of the authority, in PEM. A client that has it as `ca` trusts the certificates of the authority. */
  readonly cert: string;
  readonly #name = distinguished('turnwire test authority');
  readonly #key: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    const yes = tlv(0x01, Buffer.from([0xff]));
    const isAuthority = sequence(oid('551d13'), yes, tlv(0x04, sequence(yes)));
    this.cert = this.#sign(publicKey, this.#name, isAuthority, false);
  }

  /** Creates a key and signs a certificate for it, for a server or a client. */
  issue({ hosts, expired = false }: TestCertificateOptions): TestCertificate {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    // In a subjectAltName an address has the tag 7 and a host name the tag 2 (RFC 5280, section 4.2.1.6).
    const names = hosts.map((host) =>
      /^[\d.]+$/.test(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, host),
    );
    const alternatives = sequence(oid('551d11'), tlv(0x04, sequence(...names)));
    return {
      cert: this.#sign(publicKey, distinguished(hosts[0] ?? ''), alternatives, expired),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  #sign(publicKey: KeyObject, subject: Buffer, extension: Buffer, expired: boolean): string {
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    const algorithm = sequence(oid('2a8648ce3d040302'));
    const serial = createHash('sha256').update(spki).digest().subarray(0, 8);
    // The serial number has to be positive, without a leading zero byte.
    serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
    const [from, to] = expired ? [-20, -10] : [-1, 10];
    const body = sequence(
      tlv(0xa0, tlv(0x02, Buffer.from([2]))),
      tlv(0x02, serial),
      algorithm,
      this.#name,
      sequence(inDays(from), inDays(to)),
      subject,
      spki,
      tlv(0xa3, sequence(extension)),
    );
    const signature = sign('sha256', body, this.#key);
    const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
    const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
    return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  }
}

function distinguished(name: string): Buffer {
  return sequence(set(sequence(oid('550403'), tlv(0x0c, name))));
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

function inDays(days: number): Buffer {
  const at = new Date(Date.now() + days * 86_400_000).toISOString();
  return tlv(0x17, at.replace(/[-:T]|\.\d+/g, '').slice(2));
}
