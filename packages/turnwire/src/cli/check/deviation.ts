/** Thrown where a server breaks a rule; the message says how. */
export class Deviation extends Error {
  override readonly name = 'Deviation';
}

/** Thrown where a rule cannot be applied to this server; the message says why. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** @throws Deviation with the sentence `otherwise` where the condition does not hold */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Deviation(otherwise);
}
