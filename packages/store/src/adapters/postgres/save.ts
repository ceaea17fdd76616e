import type { ExecutionSummary } from "@spanloom/model";
import type { LedgerChanges } from "../../ledger/changes.ts";
import type { Session } from "./database.ts";
import { DIM, type NamedValue, type Names } from "./names.ts";
import { forgetExecutions, saveExecutions, saveTraces } from "./save-executions.ts";
import { removeSpans, saveGone, saveSpans } from "./save-spans.ts";
import { addStats, addUsage } from "./save-sums.ts";
import { namesOf, prunedStatRows, prunedUsageRows, statRows, usageRows } from "./stat-rows.ts";

/** Where changes go: a scope, inside a write that has it to itself. */
export interface SaveTarget {
  session: Session;
  schema: string;
  names: Names;
  scopeNo: number;
  /** The number of the commit under way. */
  version: number;
  /** Unix seconds: sums of before are dropped, and come back by nothing. */
  sumsFrom: number;
  /** The number of an execution that the changes name. */
  numberOf(executionId: string): number;
  /** Whether the execution may be stored with other traces. */
  tracesChanged(summary: ExecutionSummary): boolean;
}

/** Where rows of executions go. */
export type ExecutionTarget = Omit<SaveTarget, "names" | "sumsFrom">;

/** Where sums go. */
export type SumTarget = Pick<SaveTarget, "session" | "schema" | "scopeNo">;

/** Saves what a ledger changed. Gives the names it made numbers, to be remembered after the commit. */
export async function saveChanges(
  target: SaveTarget,
  changes: LedgerChanges,
): Promise<ReadonlyMap<string, number>> {
  const { session, names, scopeNo, sumsFrom } = target;
  const kept = <C extends { bucket: number }>(cells: readonly C[]): C[] =>
    sumsFrom === 0 ? [...cells] : cells.filter(({ bucket }) => bucket >= sumsFrom);
  const numbers = await names.dims(session, scopeNo, namedIn(changes));
  await removeSpans(target, changes);
  await saveSpans(target, changes.spans);
  await saveGone(target, changes);
  await saveExecutions(target, changes.executions, numbers);
  await forgetExecutions(target, changes.forgotten);
  await saveTraces(target, changes);
  const { pruned } = changes;
  await addUsage(target, usageRows(kept(changes.rollup), numbers));
  await addStats(target, statRows(kept(changes.analytics), numbers));
  await addUsage(target, prunedUsageRows(kept(pruned.rollup), numbers));
  await addStats(target, prunedStatRows(kept(pruned.analytics), numbers));
  return numbers;
}

function namedIn({ rollup, analytics, pruned, executions }: LedgerChanges): NamedValue[] {
  return [
    ...namesOf(rollup, analytics),
    ...namesOf(pruned.rollup, pruned.analytics),
    ...executions.map(({ summary }): NamedValue => [DIM.workflow, summary?.workflowId ?? ""]),
  ];
}
