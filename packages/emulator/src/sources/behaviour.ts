import { AssertionError } from 'node:assert';
import type { Answer, Question } from './answer.js';
import { ScriptError } from '../base/errors.js';
import { Faults, type CheckedFaultRule } from '../faults/rule.js';
import type { CheckedScript } from './script/script.js';
import type { ScriptedSource } from './script/scripted.js';

/** What an emulator answers and breaks, which a test can replace while it runs: a script, and the faults beside it. */
export class Behaviour {
  readonly faults = new Faults([]);
  #script: ScriptedSource | undefined;
  #ownFaults: readonly CheckedFaultRule[] = [];
  #scriptFaults: readonly CheckedFaultRule[] = [];

  /** The source of answers; leaves every question to the next source while there is no script with turns or rules. */
  readonly source = (question: Question): Answer | undefined | Promise<Answer | undefined> =>
    this.#script?.source(question);

  /** @throws ScriptError; what was there before stays */
  async setScript(script: unknown): Promise<void> {
    await this.#use(script === undefined ? undefined : await loadScript(script));
  }

  /** The same from the text of a file. @throws ScriptError */
  async setScriptText(text: string, name: string): Promise<void> {
    await this.#use(await parseScript(text, name));
  }

  async #use(script: CheckedScript | undefined): Promise<void> {
    const answers = script?.turns !== undefined || script?.rules !== undefined;
    this.#script = script !== undefined && answers ? await sourceOf(script) : undefined;
    this.#scriptFaults = script?.faults ?? [];
    this.#replaceFaults();
  }

  /** A list of rules, or the path of a file with the key `faults`. @throws ScriptError; what was there before stays */
  async setFaults(source: string | readonly unknown[] | undefined): Promise<void> {
    if (source === undefined || source.length === 0) return this.#useFaults([]);
    const { faults } = await loadScript(typeof source === 'string' ? source : { faults: source });
    if (faults === undefined)
      throw new ScriptError(`The file ${String(source)} has no faults; give it a list of them.`);
    this.#useFaults(faults);
  }

  /** The same from the text of a file. @throws ScriptError */
  async setFaultsText(text: string, name: string): Promise<void> {
    const { faults } = await parseScript(text, name);
    if (faults === undefined) throw new ScriptError(`${name} has no faults; give it a list of them under "faults".`);
    this.#useFaults(faults);
  }

  #useFaults(faults: readonly CheckedFaultRule[]): void {
    this.#ownFaults = faults;
    this.#replaceFaults();
  }

  /** Those beside the script come before its own. */
  #replaceFaults(): void {
    this.faults.replace([...this.#ownFaults, ...this.#scriptFaults]);
  }

  /** Entries of the script's `turns` that have answered nothing, by their place. */
  unusedTurns(): readonly string[] {
    return this.#script?.unusedTurns() ?? [];
  }

  /** @throws AssertionError */
  assertScriptUsed(): void {
    const unused = this.unusedTurns();
    if (unused.length === 0) return;
    const message = `The script has turns that answered nothing: ${unused.join(', ')}.`;
    throw new AssertionError({ message, actual: unused, expected: [], operator: 'assertScriptUsed' });
  }
}

// Scripts are checked by schemas that take longer to make than a server: they are loaded when there is one.

async function loadScript(source: unknown): Promise<CheckedScript> {
  const scripts = await import('./script/script-file.js');
  return scripts.loadScript(source);
}

async function parseScript(text: string, name: string): Promise<CheckedScript> {
  const yaml = await import('./script/script-yaml.js');
  return yaml.parseScript(text, name);
}

async function sourceOf(script: CheckedScript): Promise<ScriptedSource> {
  const { scripted } = await import('./script/scripted.js');
  return scripted(script);
}
