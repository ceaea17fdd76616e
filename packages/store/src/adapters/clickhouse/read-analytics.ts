import { AnalyticsDraft, type LocalDay, localDays, toDailyCost } from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  COST_GROUPS,
  type CostGroupSum,
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionStatus,
} from "@spanloom/model";
import { checkOneOf } from "../../check-arguments.ts";
import { addSums, costSumOf, emptySums, SUM_COLUMNS, type Sums, usageSumOf } from "../../sql/sums.ts";
import type { Database, Params } from "./client.ts";

/** Local days, added up by the engine from what each execution holds by quarter-hour and model. */
export async function readDailyCosts(
  db: Database,
  scope: string,
  query: DailyCostsQuery,
  nowMs: number,
): Promise<DailyCosts> {
  const { timeZone, workflowId } = query;
  const groupBy = checkOneOf(query.groupBy, "groupBy", COST_GROUPS, undefined);
  const days = localDays(query, nowMs);
  const cells = await readCells(db, scope, days, groupBy ?? "none", workflowId);
  return {
    timeZone,
    ...(groupBy !== undefined && { groupBy }),
    days: days.map((day) => {
      const total = emptySums();
      const groups: CostGroupSum[] = [];
      for (const cell of cells) {
        // A day that its zone skipped begins where the next one does, and holds nothing.
        if (cell.startSeconds !== day.startSeconds || day.endSeconds === day.startSeconds) continue;
        addSums(total, cell.sums);
        if (groupBy === undefined || cell.sums.every((value) => value === 0)) continue;
        groups.push({ key: cell.key, usage: usageSumOf(cell.sums), cost: costSumOf(cell.sums) });
      }
      return toDailyCost(day, { usage: usageSumOf(total), cost: costSumOf(total) }, groups);
    }),
  };
}

/** Analytics, added up by the engine from what each execution adds to them. */
export async function readAnalytics(
  db: Database,
  scope: string,
  query: AnalyticsQuery,
  nowMs: number,
): Promise<Analytics> {
  const draft = new AnalyticsDraft(query, nowMs);
  const { groupBy, workflowId } = query;
  const { days } = draft;
  const cells = await readCells(
    db,
    scope,
    days,
    groupBy === "workflow" || groupBy === "model" ? groupBy : "none",
    workflowId,
  );
  const dayNames = new Map(realDays(days).map(({ startSeconds, day }) => [startSeconds, day]));
  const keyOf = (startSeconds: number, workflow: string): string | undefined => {
    if (groupBy === "day") return dayNames.get(startSeconds);
    return groupBy === "workflow" ? workflow : undefined;
  };
  for (const { startSeconds, key, sums } of cells) {
    const group = groupBy === "model" ? key : keyOf(startSeconds, key);
    for (const row of draft.rows(group)) row.addSums(usageSumOf(sums), costSumOf(sums));
  }
  const byWorkflow = groupBy === "workflow" ? "workflow_id" : "''";
  const window = windowOf(scope, days, workflowId, "bucket");
  const executions = await db.rows<{
    day: number;
    workflow: string;
    status: ExecutionStatus;
    slot: number;
    n: number;
  }>(
    `SELECT ${dayOf("bucket")} AS day, ${byWorkflow} AS workflow, status, slot, count() AS n
     FROM ${db.name}.execution_stats FINAL WHERE ${window.where} GROUP BY day, workflow, status, slot`,
    window.params,
  );
  for (const { day, workflow, status, slot, n } of executions) {
    for (const row of draft.rows(keyOf(day, workflow))) {
      row.addExecution(status, n);
      if (slot >= 0) row.addLatency(slot, n);
    }
  }
  if (groupBy === "nodeType" || groupBy === "model") {
    const prefix = groupBy === "model" ? "model_" : "type_";
    const counts = groupBy === "model" ? "model_counts" : "type_counts";
    const slots = await db.rows<{ key: string; slot: number; n: number }>(
      `SELECT key, slot_of AS slot, sum(times) AS n FROM ${db.name}.execution_stats FINAL
       ARRAY JOIN ${prefix}slot_keys AS key, ${prefix}slots AS slot_of, ${counts} AS times
       WHERE ${window.where} GROUP BY key, slot`,
      window.params,
    );
    for (const { key, slot, n } of slots) draft.group(key).addLatency(slot, n);
  }
  if (groupBy === "nodeType") {
    const types = await db.rows<{ key: string; sums: Sums }>(
      `SELECT key, sumForEach(one) AS sums FROM ${db.name}.execution_stats FINAL
       ARRAY JOIN type_keys AS key, type_sums AS one WHERE ${window.where} GROUP BY key`,
      window.params,
    );
    for (const { key, sums } of types) draft.group(key).addSums(usageSumOf(sums), costSumOf(sums));
  }
  return draft.finish();
}

interface Cell {
  startSeconds: number;
  /** Workflow id or model; empty where it is not split. */
  key: string;
  sums: Sums;
}

async function readCells(
  db: Database,
  scope: string,
  days: readonly LocalDay[],
  split: "none" | "workflow" | "model",
  workflowId: string | undefined,
): Promise<Cell[]> {
  const { where, params } = windowOf(scope, days, workflowId, "bucket");
  const key = split === "workflow" ? "workflow_id" : split === "model" ? "model" : "''";
  const sums = SUM_COLUMNS.map((column) => `sum(cell.${column})`).join(", ");
  const rows = await db.rows<{ day: number; key: string; sums: Sums }>(
    `SELECT ${dayOf("bucket")} AS day, ${key} AS key, [${sums}] AS sums FROM ${db.name}.usage_cell AS cell FINAL
     WHERE ${where} GROUP BY day, key`,
    params,
  );
  return rows.map(({ day, ...cell }) => ({ startSeconds: day, ...cell }));
}

/** The start of the local day in which a bucket falls: the edges of days are among the parameters. */
function dayOf(bucket: string): string {
  return `arrayElement({edges:Array(UInt64)}, toUInt32(arrayFirstIndex(edge -> edge > ${bucket}, {edges:Array(UInt64)}) - 1))`;
}

function windowOf(
  scope: string,
  days: readonly LocalDay[],
  workflowId: string | undefined,
  bucket: string,
): { where: string; params: Params } {
  const end = days.at(-1)?.endSeconds ?? 0;
  const starts = realDays(days).map((day) => day.startSeconds);
  const from = starts[0] ?? end;
  const where = ["scope = {scope:String}", `${bucket} >= {from:UInt64}`, `${bucket} < {to:UInt64}`];
  if (workflowId !== undefined) where.push("workflow_id = {workflow:String}");
  return {
    where: where.join(" AND "),
    params: {
      scope,
      from,
      to: end,
      edges: [...starts, end],
      ...(workflowId !== undefined && { workflow: workflowId }),
    },
  };
}

/** Without those that their zone skipped: they hold nothing, and begin where the next one does. */
function realDays(days: readonly LocalDay[]): LocalDay[] {
  return days.filter((day) => day.endSeconds > day.startSeconds);
}
