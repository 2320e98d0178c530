import { asksForRecordingModel, recordingModels } from '../sources/recordings.js';
import { Refusal } from '../wire/refusal.js';

/** The model that is listed if the emulator was given no list of models. */
const listedModel = 'emulator';

interface Model {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since 1970; always 0, because the emulator does not know it. */
  readonly created: number;
  readonly owned_by: string;
}

/** Refuses a model that is not in the emulator's list. The models of recordings are never refused. */
export function refuseUnknownModel(model: string, models: ReadonlySet<string> | undefined): void {
  if (models === undefined || models.has(model) || asksForRecordingModel(model)) return;
  throw new Refusal(`The requested model '${model}' does not exist.`, { code: 'model_not_found', param: 'model' });
}

/** The list of `GET /v1/models`: the models of the emulator (or one that stands for any), then the recordings. */
export async function listModels(
  models: ReadonlySet<string> | undefined,
  recordings: string | undefined,
): Promise<readonly Model[]> {
  return [...(models ?? [listedModel]), ...(await recordingModels(recordings))].map(modelOf);
}

/** The model with this id. @throws Refusal with status 404 for a model that is not listed, unless the emulator answers any model */
export async function findModel(
  id: string,
  models: ReadonlySet<string> | undefined,
  recordings: string | undefined,
): Promise<Model> {
  const listed = (await listModels(models, recordings)).find((model) => model.id === id);
  if (listed !== undefined) return listed;
  if (models === undefined && !asksForRecordingModel(id)) return modelOf(id);
  throw new Refusal(`The model '${id}' does not exist.`, { status: 404, code: 'model_not_found', param: 'model' });
}

function modelOf(id: string): Model {
  return { id, object: 'model', created: 0, owned_by: 'turnwire' };
}
