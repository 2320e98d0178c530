import { AssertionError } from 'node:assert';
import type { Answer, Question } from './answer.js';
import { ScriptError } from '../base/errors.js';
import { Faults, type CheckedFaultRule } from '../faults/rule.js';
import type { CheckedScript } from './script/script.js';
import type { ScriptedSource } from './script/scripted.js';

/** The script and the faults of an emulator, which a test can replace while the emulator runs. */
export class Behaviour {
  readonly faults = new Faults([]);
  #script: ScriptedSource | undefined;
  #ownFaults: readonly CheckedFaultRule[] = [];
  #scriptFaults: readonly CheckedFaultRule[] = [];

  /** The source of the script's answers. Without a script that has turns or rules, it leaves every question to the next source. */
  readonly source = (question: Question): Answer | undefined | Promise<Answer | undefined> =>
    this.#script?.source(question);

  readonly #isReplay: boolean;

  /** `isReplay`: a replay answers all turns, so that no script can be used. */
  constructor({ isReplay }: { readonly isReplay: boolean }) {
    this.#isReplay = isReplay;
  }

  /** Replaces the script: the path of a file, its content as an object, or none. @throws ScriptError; the previous script then stays */
  async setScript(script: unknown): Promise<void> {
    await this.#use(script === undefined ? undefined : await loadScript(script));
  }

  /** Replaces the script by the text of a file. `name` names it in errors. @throws ScriptError; the previous script then stays */
  async setScriptText(text: string, name: string): Promise<void> {
    await this.#use(await parseScript(text, name));
  }

  async #use(script: CheckedScript | undefined): Promise<void> {
    const answers = script?.turns !== undefined || script?.rules !== undefined;
    if (answers && this.#isReplay)
      throw new ScriptError(
        'A replay answers all turns itself, so the script would never be used; start an emulator without "replay" for it.',
      );
    this.#script = script !== undefined && answers ? await sourceOf(script) : undefined;
    this.#scriptFaults = script?.faults ?? [];
    this.#replaceFaults();
  }

  /** Replaces the fault rules: a list, or the path of a file with the key `faults`. @throws ScriptError; the previous rules then stay */
  async setFaults(source: string | readonly unknown[] | undefined): Promise<void> {
    if (source === undefined || source.length === 0) return this.#useFaults([]);
    const isFile = typeof source === 'string';
    const script = await loadScript(isFile ? source : { faults: source });
    this.#useFaults(faultsAlone(script, isFile ? `The file ${source}` : 'The list'));
  }

  /** Replaces the fault rules by those in the text of a file. `name` names it in errors. @throws ScriptError; the previous rules then stay */
  async setFaultsText(text: string, name: string): Promise<void> {
    if (text.trim() === '') throw noFaults(name);
    this.#useFaults(faultsAlone(await parseScript(text, name), name));
  }

  #useFaults(faults: readonly CheckedFaultRule[]): void {
    this.#ownFaults = faults;
    this.#replaceFaults();
  }

  /** The faults beside the script come before the faults of the script. */
  #replaceFaults(): void {
    this.faults.replace([...this.#ownFaults, ...this.#scriptFaults]);
  }

  /** The entries of the script's `turns` that have not answered a request, by their place. */
  unusedTurns(): readonly string[] {
    return this.#script?.unusedTurns() ?? [];
  }

  /** @throws AssertionError that names the unused entries */
  assertScriptUsed(): void {
    const unused = this.unusedTurns();
    if (unused.length === 0) return;
    const message = `The script has turns that answered nothing: ${unused.join(', ')}.`;
    throw new AssertionError({ message, actual: unused, expected: [], operator: 'assertScriptUsed' });
  }
}

/** The faults of a file that has nothing else. @throws ScriptError for one that has none, or answers too, which nobody would use */
function faultsAlone({ faults, turns, rules }: CheckedScript, name: string): readonly CheckedFaultRule[] {
  if (faults === undefined) throw noFaults(name);
  const other = turns !== undefined ? 'turns' : rules !== undefined ? 'rules' : undefined;
  if (other === undefined) return faults;
  throw new ScriptError(
    `${name} has ${other} beside its faults, which are read alone here; give it as the script, or leave them out.`,
  );
}

function noFaults(name: string): ScriptError {
  return new ScriptError(`${name} has no faults; give it a list of them under "faults".`);
}

// The modules of scripts are loaded only when there is a script, because creating their schemas takes longer than creating a server.

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
