import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { GatewayConfigError } from '../../config/problem.js';
import type { KeyObject } from 'node:crypto';
import type { Config } from '../../config/schema.js';

/** The certificate chain of the listener and its key, both as PEM. */
export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

export interface CertificateOptions {
  /** The configuration, for the messages of problems. */
  file: string;
  onWarning: (message: string) => void;
}

/** @throws GatewayConfigError for files that cannot be read or used, or for a key that is not that of its certificate */
export async function readCertificate(
  tls: NonNullable<Config['listen']['tls']>,
  { file, onWarning }: CertificateOptions,
): Promise<Certificate> {
  const read = async (name: 'cert' | 'key'): Promise<Buffer> => {
    try {
      return await readFile(tls[name]);
    } catch (cause) {
      throw problem(name, `${tls[name]} cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
    }
  };
  const problem = (name: 'cert' | 'key', message: string, cause?: unknown): GatewayConfigError =>
    new GatewayConfigError([{ file, path: `listen.tls.${name}`, message }], { cause });
  const cert = await read('cert');
  const key = await read('key');
  const certificate = certificateIn(cert);
  if (certificate === undefined)
    throw problem('cert', `${tls.cert} has no certificate in PEM: it must begin with -----BEGIN CERTIFICATE-----`);
  const privateKey = privateKeyIn(key);
  if (privateKey === 'encrypted')
    throw problem('key', `${tls.key} has a passphrase, which nobody enters here: give the key without one`);
  if (privateKey === undefined)
    throw problem('key', `${tls.key} has no private key in PEM: it must begin with -----BEGIN PRIVATE KEY-----`);
  if (!certificate.checkPrivateKey(privateKey))
    throw problem(
      'key',
      `${tls.key} is not the key of the first certificate in ${tls.cert}: the certificate of the server stands before those of its authorities`,
    );
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw problem('cert', `${tls.cert} cannot be used: ${(cause as Error).message}`, cause);
  }
  const { validFrom, validTo } = certificate;
  const now = Date.now();
  if (now > Date.parse(validTo))
    onWarning(`turnwire: the certificate ${tls.cert} has expired (${validTo}): clients refuse it`);
  if (now < Date.parse(validFrom))
    onWarning(`turnwire: the certificate ${tls.cert} is not valid yet (${validFrom}): clients refuse it`);
  return { cert, key };
}

/** The first certificate of a file; undefined for a file without one. A server takes PEM alone. */
function certificateIn(pem: Buffer): X509Certificate | undefined {
  if (!pem.includes('-----BEGIN ')) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function privateKeyIn(pem: Buffer): KeyObject | 'encrypted' | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return pem.includes('ENCRYPTED') ? 'encrypted' : undefined;
  }
}
