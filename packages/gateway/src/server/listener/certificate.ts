import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { GatewayConfigError } from '../../config/problem.js';
import type { Config } from '../../config/schema.js';

/** @throws GatewayConfigError for files that cannot be read, or for a key that does not belong to its certificate. */
export async function readCertificate(
  tls: NonNullable<Config['listen']['tls']>,
): Promise<{ cert: Buffer; key: Buffer }> {
  const read = (name: 'cert' | 'key'): Promise<Buffer> =>
    readFile(tls[name]).catch((cause: NodeJS.ErrnoException) => {
      throw new GatewayConfigError(
        [{ file: tls[name], path: '', message: `listen.tls.${name} cannot be read (${cause.code})` }],
        { cause },
      );
    });
  const [cert, key] = await Promise.all([read('cert'), read('key')]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new GatewayConfigError(
      [
        {
          file: tls.cert,
          path: '',
          message: `listen.tls: certificate and key cannot be used: ${(cause as Error).message}`,
        },
      ],
      { cause },
    );
  }
  return { cert, key };
}
