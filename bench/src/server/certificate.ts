import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  key: string;
  cert: string;
  /** The path of `cert`, for NODE_EXTRA_CA_CERTS. */
  path: string;
}

/**
 * A certificate for 127.0.0.1 that is its own authority. It is made once by openssl, since Node cannot make certificates.
 *
 * @throws Error that says what to install
 */
export function certificateIn(folder: string): Certificate {
  const [keyPath, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    try {
      // prettier-ignore
      execFileSync('openssl', [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650',
        '-subj', '/CN=turnwire bench', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyPath, '-out', path,
      ], { stdio: 'ignore' });
    } catch (error) {
      throw new Error(
        'the workloads over TLS need openssl, for a certificate: install it, or leave them out with --only',
        {
          cause: error,
        },
      );
    }
  }
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(path, 'utf8'), path };
}
