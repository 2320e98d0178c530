/** What a server does otherwise. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
}

/** Why a rule says nothing of this server. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** @throws Deviation */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Deviation(otherwise);
}
