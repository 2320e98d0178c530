import { createTestAuthority } from '@turnwire/emulator';

const signer = await createTestAuthority();

/** Trusted by nobody who is not told to: a client's `ca`. */
export const authority = signer.cert;

export const server = signer.issue({ hosts: ['origin.test', 'localhost', '127.0.0.1'] });

export const elsewhere = signer.issue({ hosts: ['elsewhere.test'] });

export const expired = signer.issue({ hosts: ['origin.test', '127.0.0.1'], expired: true });

export const client = signer.issue({ hosts: ['client.test'] });
