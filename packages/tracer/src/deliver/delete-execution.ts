import { within } from "../wait.ts";
import type { Delivery } from "./delivery.ts";
import type { Ledger } from "./ledger.ts";
import type { Waiting } from "./record-queue.ts";

const LOOK_MS = 10;
/** What comes later than this many deletions is for the store's tombstone. */
const MAX_DELETED = 10_000;

/**
 * Forgets an execution, in memory and on the disk. What is being sent just now may still arrive: see `arrived`. Rejects
 * when the disk would not.
 */
export async function deleteExecution(
  { deleted, queue, ledger, options }: Delivery,
  executionId: string,
): Promise<void> {
  deleted.add(executionId);
  const [oldest] = deleted;
  if (deleted.size > MAX_DELETED && oldest !== undefined) deleted.delete(oldest);
  forget(
    queue.remove(({ record }) => record.executionId === executionId),
    ledger,
  );
  await options.spool?.deleteExecution(executionId, (from, count) => {
    ledger.lose("deleted", count);
    if (from === "deadLettered") ledger.counters.deadLettered -= count;
  });
}

/** Whether something of the execution is being sent just now. */
export function isUnderWay({ ledger }: Delivery, executionId: string): boolean {
  for (const { record } of ledger.sending) if (record.executionId === executionId) return true;
  return false;
}

/** Waits until nothing of the execution is being sent any more. */
export async function arrived(delivery: Delivery, executionId: string): Promise<void> {
  while (isUnderWay(delivery, executionId)) await within(undefined, LOOK_MS);
}

/** The entries of executions that nobody has deleted; the others are let go. */
export function withoutDeleted({ deleted, ledger }: Delivery, entries: Waiting[]): Waiting[] {
  const gone = entries.filter(({ record }) => deleted.has(record.executionId));
  if (gone.length === 0) return entries;
  forget(gone, ledger);
  return entries.filter((entry) => !gone.includes(entry));
}

/** That is no fault, and nobody is told. */
function forget(entries: readonly Waiting[], ledger: Ledger): void {
  ledger.settle(entries);
  ledger.lose("deleted", entries.length);
}
