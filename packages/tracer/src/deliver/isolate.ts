/**
 * Finds the records that make a batch fail, by halving it. A record is poison only when it fails twice alone while others
 * of the batch are taken: where everything fails, the other end is away and nobody is to blame.
 */
export async function isolate<T>(
  batch: readonly T[],
  attempt: (part: readonly T[]) => Promise<unknown>,
): Promise<{ retry: T[]; poison: T[] }> {
  const halvings = Math.ceil(Math.log2(Math.max(2, batch.length))) + 1;
  const suspects: T[] = [];
  const untried: T[] = [];
  let taken = 0;
  let failures = 0;
  const parts: (readonly T[])[] = halves(batch);
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (taken === 0 && failures > halvings) {
      untried.push(...part);
      continue;
    }
    if ((await attempt(part)) === undefined) {
      taken += part.length;
      continue;
    }
    failures++;
    const [only] = part;
    if (part.length === 1 && only !== undefined) suspects.push(only);
    else parts.push(...halves(part));
  }
  if (taken === 0) return { retry: [...suspects, ...untried], poison: [] };
  const poison: T[] = [];
  for (const suspect of suspects) {
    if ((await attempt([suspect])) !== undefined) poison.push(suspect);
  }
  return { retry: untried, poison };
}

function halves<T>(batch: readonly T[]): (readonly T[])[] {
  if (batch.length < 2) return [batch];
  const middle = batch.length >> 1;
  // The last is tried first: order between spans does not matter to a store.
  return [batch.slice(middle), batch.slice(0, middle)];
}
