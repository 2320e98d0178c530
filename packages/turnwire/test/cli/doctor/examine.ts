import { turnwire } from '../console.js';
import type { ConsoleOptions } from '../console.js';

export interface Found {
  id: string;
  level: 'ok' | 'note' | 'problem';
  text: string;
  advice?: string;
}

export interface Examined {
  status: number;
  stdout: string;
  /** By their ids. */
  findings: ReadonlyMap<string, Found>;
  clients: readonly string[];
}

/** The findings of the doctor at a base URL. */
export async function examine(url: string, ...given: readonly (string | ConsoleOptions)[]): Promise<Examined> {
  const args = given.filter((each) => typeof each === 'string');
  const options = given.find((each) => typeof each === 'object');
  const { status, stdout, stderr } = await turnwire(['doctor', url, '--json', ...args], options);
  if (stdout === '') throw new Error(stderr);
  const { findings, clients } = JSON.parse(stdout) as { findings: readonly Found[]; clients: readonly string[] };
  return { status, stdout, findings: new Map(findings.map((each) => [each.id, each])), clients };
}
