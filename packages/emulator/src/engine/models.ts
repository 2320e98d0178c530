import { asksForRecordingModel, recordingModels } from '../sources/recordings.js';
import { Refusal } from '../wire/refusal.js';

/** The model that is listed where no list was given. */
const listedModel = 'emulator';

interface Model {
  readonly id: string;
  readonly object: 'model';
  /** In seconds since 1970; 0: nobody knows. */
  readonly created: number;
  readonly owned_by: string;
}

/** Refuses a model that is not among those the emulator was given. Recordings are always known. */
export function refuseUnknownModel(model: string, models: ReadonlySet<string> | undefined): void {
  if (models === undefined || models.has(model) || asksForRecordingModel(model)) return;
  throw new Refusal(`The requested model '${model}' does not exist.`, { code: 'model_not_found', param: 'model' });
}

/** What `GET /v1/models` lists: the models given (or one that stands for all), then the recordings. */
export async function listModels(
  models: ReadonlySet<string> | undefined,
  recordings: string | undefined,
): Promise<readonly Model[]> {
  return [...(models ?? [listedModel]), ...(await recordingModels(recordings))].map(modelOf);
}

/** @throws Refusal with status 404 for one that is not listed, unless any model is answered */
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
