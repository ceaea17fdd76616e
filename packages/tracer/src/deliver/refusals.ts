import type { SendResult } from "./attempt.ts";
import type { Ledger } from "./ledger.ts";
import type { Waiting } from "./record-queue.ts";

/** A record that the other end refuses for good, and why. */
export interface Refusal {
  entry: Waiting;
  code: string;
  reason: string;
}

/** The other end took the batch, but for what it names. Counters come first: they are true whenever somebody is told. */
export async function settleRejected(
  batch: readonly Waiting[],
  { rejected, rejectedUnnamed = 0 }: SendResult,
  ledger: Ledger,
): Promise<void> {
  const refusals = new Map(rejected.map((refusal) => [batch[refusal.index], refusal]));
  const taken = batch.filter((entry) => !refusals.has(entry));
  const unnamed = Math.min(rejectedUnnamed, taken.length);
  ledger.counters.stored += taken.length - unnamed;
  ledger.settle(taken);
  ledger.drop("rejected", unnamed);
  const refused: Refusal[] = [];
  for (const [entry, { code, message }] of refusals) {
    if (entry === undefined) continue;
    // Spans of an execution that was deleted are refused for good: that is no fault.
    if (code === "deleted_execution") {
      ledger.lose("rejected", 1);
      ledger.settle([entry]);
    } else refused.push({ entry, code, reason: message ?? code });
  }
  await refuse(refused, ledger);
}

/** Records that are to blame: set apart where there is a disk, else counted and let go. */
export async function refuse(refused: readonly Refusal[], ledger: Ledger): Promise<void> {
  if (refused.length === 0) return;
  // What the other end says may hold secrets of its own, such as how it is reached.
  const clean = (text: string): string => String(ledger.problems.clean(text));
  const letters = refused.map(({ entry, code, reason }) => ({
    record: entry.record,
    code: clean(code),
    reason: clean(reason),
  }));
  const buried = (await ledger.spool?.bury(letters)) ?? false;
  ledger.settle(refused.map(({ entry }) => entry));
  if (buried) ledger.counters.deadLettered += refused.length;
  else ledger.drop("rejected", refused.length);
}

/** The refused records that a sink's answer names, each once. An answer that cannot be read names none. */
export function readRejected(receipt: unknown, size: number): SendResult["rejected"] {
  const found = new Map<number, SendResult["rejected"][number]>();
  try {
    if (typeof receipt !== "object" || receipt === null || !("rejected" in receipt)) return [];
    if (!Array.isArray(receipt.rejected)) return [];
    for (const item of receipt.rejected as unknown[]) {
      if (typeof item !== "object" || item === null || !("index" in item)) continue;
      const { index } = item;
      if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= size) continue;
      const code = "code" in item && typeof item.code === "string" ? item.code : "rejected";
      const message = "message" in item && typeof item.message === "string" ? item.message : undefined;
      found.set(index, { index, code, message });
    }
  } catch {
    // What was read counts.
  }
  return [...found.values()];
}
