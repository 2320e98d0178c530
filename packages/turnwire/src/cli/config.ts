import { stringify } from 'yaml';
import { loadConfig } from '../config/config.js';
import { describeConfig } from '../config/file/description.js';
import { exitStatus } from './process/exit-status.js';
import { secretsOf } from './options/secrets.js';
import { printable, Printer } from './process/terminal.js';
import type { Io } from './process/io.js';

export interface ConfigOptions {
  json?: boolean;
  envFromFile?: readonly string[];
  debug?: boolean;
}

/** `turnwire config FILE`: prints the configuration that a run would use. A missing key is reported but is no failure, since the file is right. */
export async function config(io: Io, file: string, { json, envFromFile }: ConfigOptions): Promise<number> {
  const secrets = secretsOf(io, envFromFile);
  const description = await describeConfig(await loadConfig(file, { variables: secrets }), secrets);
  const text = json ? JSON.stringify(description, null, 2) : stringify(description, { lineWidth: 0 }).trimEnd();
  new Printer(io.stdout, io.env).line(printable(text));
  return exitStatus.ok;
}
