/** What became of a part: taken; refused for a reason that may lie in its records; or the other end is in no state to take any. */
export type Outcome = "taken" | "refused" | "outage";

/**
 * Finds the records that make a batch fail, by halving it. A record is poison only when it is refused twice alone while
 * others of the batch are taken: where nothing is taken, or the other end is out of order, no record is to blame.
 */
export async function isolate<T>(
  batch: readonly T[],
  attempt: (part: readonly T[]) => Promise<Outcome>,
): Promise<{ retry: T[]; poison: T[] }> {
  const halvings = Math.ceil(Math.log2(Math.max(2, batch.length))) + 1;
  const suspects: T[] = [];
  const retry: T[] = [];
  const poison: T[] = [];
  let taken = 0;
  let refusals = 0;
  let outage = false;
  const attemptOrStop = async (part: readonly T[]): Promise<Outcome> => {
    const outcome = outage || (taken === 0 && refusals > halvings) ? "outage" : await attempt(part);
    if (outcome === "taken") taken += part.length;
    else if (outcome === "refused") refusals++;
    else {
      outage = true;
      retry.push(...part);
    }
    return outcome;
  };
  const parts = halves(batch);
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if ((await attemptOrStop(part)) !== "refused") continue;
    if (part.length === 1) suspects.push(...part);
    else parts.push(...halves(part));
  }
  if (taken === 0) return { retry: [...suspects, ...retry], poison };
  for (const suspect of suspects) {
    if ((await attemptOrStop([suspect])) === "refused") poison.push(suspect);
  }
  return { retry, poison };
}

function halves<T>(batch: readonly T[]): (readonly T[])[] {
  if (batch.length < 2) return [batch];
  const middle = batch.length >> 1;
  // The last is tried first: order between spans does not matter to a store.
  return [batch.slice(middle), batch.slice(0, middle)];
}
