import type { ClientOptions } from '@turnwire/client';
import type { Model } from '../../config/models/model.js';
import { type Emulator, startEmulator, startRecorder, summarizeRecording } from '@turnwire/emulator';
import { UsageError } from '../process/usage-error.js';

/** The recorder between the models of a run and their providers, or the replay in place of both. */
export interface RunRecording {
  /**
   * The options for the client of a model, in addition to those of the agent file.
   *
   * @throws Error for a model that is not part of the recording
   */
  optionsFor: (model: Model) => Pick<ClientOptions, 'apiKey' | 'headers' | 'baseUrl' | 'network'>;
  /** The current time for the run: the recording's time in a replay. */
  now: Date;
  /** The recorded exchanges that were not asked for, as a sentence; undefined for none. */
  unasked: () => string | undefined;
  /** @throws Error if a recording could not be written to its end. */
  close(): Promise<void>;
}

/** Gives the base URL of a model: that of the file, of this run's emulator, or of the client's default. */
export type AddressOf = (model: Model) => string;

/**
 * Records a run: each model gets an address of its own in front of its provider, and its exchanges stand in the file under its name.
 *
 * @throws EmulatorError if the file exists or cannot be made
 */
export async function recordTo(
  file: string,
  models: readonly Model[],
  { addressOf, secrets, warn }: { addressOf: AddressOf; secrets: readonly string[]; warn: (message: string) => void },
): Promise<RunRecording> {
  const upstream = Object.fromEntries(models.map((model) => [model.name, baseOf(addressOf(model))]));
  // A shorter value is one like `none` or `ollama` and would be found within words.
  const long = secrets.filter(({ length }) => length >= 8);
  const recorder = await startRecorder({ upstream, file, secrets: long, onLeftOut: warn });
  return {
    optionsFor: ({ name }) => ({ network: { relay: recorder.urlOf(name) } }),
    now: new Date(),
    unasked: () => undefined,
    close: () => recorder.close(),
  };
}

/** An address without the path's end and the query, which the client adds itself. */
function baseOf(address: string): string {
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname.replace(/\/+$/, '').replace(/\/responses$/, '')}`;
}

export interface ReplaySettings {
  /** True: a request that differs from the recorded one is reported, and the run goes on. */
  loose: boolean;
  speed: number | 'at-once';
  warn: (message: string) => void;
}

/**
 * Answers a run from a recording: each model gets the answers that were recorded under its name. No key is needed, and none is sent.
 *
 * @throws EmulatorError if the file is no recording, or has no exchange of a model
 */
export async function replayFrom(
  file: string,
  models: readonly Model[],
  { loose, speed, warn }: ReplaySettings,
): Promise<RunRecording> {
  const recorded = await summarizeRecording(file);
  const mode = loose ? 'loose' : 'strict';
  const played = new Map<string, Emulator>();
  const close = async (): Promise<void> => {
    await Promise.all([...played.values()].map((emulator) => emulator.close()));
  };
  try {
    for (const { name } of models) {
      const replay = {
        file,
        upstream: name,
        mode,
        timing: speed,
        onDifference: mode === 'loose' ? warn : undefined,
      } as const;
      played.set(name, await startEmulator({ replay }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    optionsFor: ({ name, baseUrl }) => {
      const url = played.get(name)?.url;
      // A model that the user chose in the middle of the conversation must not reach its real provider.
      if (url === undefined)
        throw new UsageError(
          `the recording ${file} has no exchange with the model ${name}: replay it with the models that it was recorded with`,
        );
      return { apiKey: 'replay', headers: {}, network: { relay: url }, ...(baseUrl === undefined && { baseUrl: url }) };
    },
    now: recorded.started,
    unasked: () => {
      const left = [...played].flatMap(([name, { journal }]) => {
        const more = (recorded.turns.get(name) ?? 0) - journal.turns().length;
        return more > 0 ? [`${more} more of ${name}`] : [];
      });
      return left.length === 0
        ? undefined
        : `the run has ended before its recording did: ${file} has answers that were not asked for, ${left.join(', ')}`;
    },
    close,
  };
}
