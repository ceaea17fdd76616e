import type { ProblemReporter } from "../problems.ts";
import { blamesRecords, outcomeOf, reasonOf, retryAfterOf } from "./blame.ts";
import { isolate } from "./isolate.ts";
import type { Ledger } from "./ledger.ts";
import type { Waiting } from "./record-queue.ts";
import { refuse } from "./refusals.ts";

export interface Verdict {
  /** To be tried again. */
  retry: Waiting[];
  /** How long the other end asked to be left alone. */
  quietMs: number;
}

/**
 * Tells the host that a batch failed, and finds out whether it holds records that are to blame, and which. An error that
 * does not speak of records itself is only followed up when it was `repeated`. Those that are to blame are refused.
 */
export async function judge(
  batch: Waiting[],
  error: unknown,
  repeated: boolean,
  {
    name,
    problems,
    ledger,
    again,
  }: {
    name: string;
    problems: ProblemReporter;
    ledger: Ledger;
    again: (part: readonly Waiting[]) => Promise<{ error: unknown } | undefined>;
  },
): Promise<Verdict> {
  problems.report(
    "delivery_failed",
    name,
    `${name === "otlp" ? "The collector" : "The store"} did not take a batch of spans. They wait and are tried again.`,
    error,
  );
  const quietMs = retryAfterOf(error) ?? 0;
  const mayBlame = outcomeOf(error) === "refused" && (blamesRecords(error) || repeated);
  if (!mayBlame) return { retry: batch, quietMs };
  const { retry, poison } = await isolate(batch, async (part) => {
    const failed = await again(part);
    return failed === undefined ? "taken" : outcomeOf(failed.error);
  });
  const why = reasonOf(error);
  await refuse(
    poison.map((entry) => ({ entry, ...why })),
    ledger,
  );
  return { retry, quietMs };
}
