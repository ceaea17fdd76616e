import { canonicalJson, EXECUTION_STATUSES, type ExecutionSummary } from "@spanloom/model";
import { summaryOf } from "../../ledger/answers.ts";
import { AnalyticsCells, UsageCells } from "../../ledger/cells.ts";
import type { AnalyticsCell } from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { SUM_COLUMNS, type Sums } from "../../sql/sums.ts";
import { keyText } from "./key-text.ts";
import { loadPart } from "./load.ts";
import { DIM, dimKey } from "./names.ts";
import { saveExecutions } from "./save-executions.ts";
import { addStats, addUsage } from "./save-sums.ts";
import type { OpenScope } from "./scope-writer.ts";
import {
  namesOf,
  PRUNED_GRAIN,
  STAT,
  type StatRow,
  type StatUsageRow,
  statRows,
  type UsageRow,
  usageRows,
} from "./stat-rows.ts";

/** What {@link recompute} calls the sums that belong to no single execution. */
const DAILY_SUMS = "daily sums";
const ANALYTICS = "analytics";

/** Executions that are looked at together. */
const CHUNK = 200;

export interface Recomputed {
  executions: number;
  corrected: string[];
}

/** Works everything derived out again from the records and from what pruned ones had added, and mends what differs. */
export async function recompute(scope: OpenScope, schema: string): Promise<Recomputed> {
  const corrected: string[] = [];
  const usage = new UsageCells();
  const analytics = new AnalyticsCells();
  await addPruned(scope, schema, usage, analytics);
  let executions = 0;
  for await (const held of heldExecutions(scope, schema)) {
    if (held.spanCount > 0) executions++;
    const { workflowId, stats } = held.settled;
    for (const cell of held.usage.values()) usage.add({ ...cell, workflowId });
    if (stats !== undefined) analytics.addStats(stats);
    if (await mendExecution(scope, schema, held)) corrected.push(held.executionId);
  }
  const cells = [...usage.values()].filter(({ bucket }) => bucket >= scope.sumsFrom);
  const counts = [...analytics.values()].filter(({ bucket }) => bucket >= scope.sumsFrom);
  const numbers = await scope.names.dims(scope.session, scope.scopeNo, namesOf(cells, counts));
  const stats = statRows(counts, numbers);
  if (await mendUsage(scope, schema, usageRows(cells, numbers))) corrected.push(DAILY_SUMS);
  const counted = await mendCounts(scope, schema, stats.stats);
  if ((await mendTypeSums(scope, schema, stats.usage)) || counted) corrected.push(ANALYTICS);
  // What this process and others hold may have been folded from what was wrong.
  if (corrected.length > 0) await scope.unsettle();
  return { executions, corrected };
}

/** Every execution of the scope, folded from its records. */
async function* heldExecutions(
  { session, scopeNo }: OpenScope,
  schema: string,
): AsyncGenerator<HeldExecution, void, undefined> {
  const seen = new Set<string>();
  for (let last = 0; ; ) {
    const rows = (await session.rows(
      `SELECT exec_no::float8, summary::text FROM ${schema}.execution WHERE scope_no = $1 AND exec_no > $2 ORDER BY exec_no LIMIT ${CHUNK}`,
      scopeNo,
      last,
    )) as [number, string][];
    if (rows.length === 0) return;
    last = rows.at(-1)?.[0] ?? last;
    const ids = rows.map(([, text]) => (JSON.parse(text) as ExecutionSummary).executionId);
    const executionIds = ids.filter((id) => !seen.has(id));
    if (executionIds.length === 0) continue;
    const { covered, part, numbers } = await loadPart(session, schema, scopeNo, {
      traceIds: [],
      executionIds,
    });
    const ledger = new Ledger({ mostSpans: Number.MAX_SAFE_INTEGER });
    ledger.load(covered, part);
    for (const id of numbers.keys()) {
      const held = ledger.execution(id);
      if (held === undefined || seen.has(id)) continue;
      seen.add(id);
      yield held;
    }
  }
}

/** True when the row differed. */
async function mendExecution(scope: OpenScope, schema: string, held: HeldExecution): Promise<boolean> {
  const { session, scopeNo, names } = scope;
  const { executionId, deleted, spanCount, settled } = held;
  const [row] = (await session.rows(
    `SELECT exec_no::float8, summary::text, last_time::text, span_count, node_count, status, start_time::text, duration_ms, nano_usd, workflow_no
     FROM ${schema}.execution WHERE scope_no = $1 AND execution_id = $2`,
    scopeNo,
    keyText(executionId),
  )) as [number, string, ...unknown[]][];
  if (row === undefined) return false;
  const [no, stored, ...columns] = row;
  if (spanCount === 0) return false;
  const summary = summaryOf(held);
  const numbers = await names.dims(session, scopeNo, [[DIM.workflow, summary.workflowId ?? ""]]);
  const lastActivity = held.lastActivity();
  const expected = [
    ...[
      lastActivity ?? "0",
      spanCount,
      summary.nodeCount,
      summary.status,
      summary.startTime,
      summary.durationMs ?? null,
    ],
    ...[summary.cost.nanoUsd ?? null, numbers.get(dimKey(DIM.workflow, summary.workflowId ?? "")) ?? 0],
  ];
  const same =
    canonicalJson(JSON.parse(stored)) === canonicalJson(summary) &&
    columns.every((value, index) => value === expected[index]);
  if (same) return false;
  const seq = summary.seq + 1;
  const version = await scope.commitVersion();
  await saveExecutions(
    { session, scopeNo, schema, version, numberOf: () => no, tracesChanged: () => true },
    [
      {
        executionId,
        seq,
        deleted,
        summary: { ...summary, seq },
        ...(lastActivity && { lastActivity }),
        ...(settled.stats && { stats: settled.stats }),
      },
    ],
    numbers,
  );
  return true;
}

/** What pruned executions had added. */
async function addPruned(
  { session, names, scopeNo }: OpenScope,
  schema: string,
  usage: UsageCells,
  analytics: AnalyticsCells,
): Promise<void> {
  const spent = await readUsage(session, schema, scopeNo, `grain = ${PRUNED_GRAIN}`);
  const counts = await readCounts(session, schema, scopeNo, `grain = ${PRUNED_GRAIN}`);
  const types = await readTypeSums(session, schema, scopeNo, `grain = ${PRUNED_GRAIN}`);
  const numbers = [
    ...spent.flatMap(({ workflowNo, modelNo }) => [workflowNo, modelNo]),
    ...counts.flatMap(({ workflowNo, kind, keyNo }) =>
      kind === STAT.status ? [workflowNo] : [workflowNo, keyNo],
    ),
    ...types.flatMap(({ workflowNo, typeNo }) => [workflowNo, typeNo]),
  ];
  const values = await names.values(session, numbers);
  const nameOf = (no: number): string => values.get(no) ?? "";
  for (const { bucket, workflowNo, modelNo, sums } of spent) {
    usage.add({ bucket, workflowId: nameOf(workflowNo), model: nameOf(modelNo), sums });
  }
  for (const { kind, bucket, workflowNo, keyNo, slot, count } of counts) {
    const key = kind === STAT.status ? (EXECUTION_STATUSES[keyNo] ?? "") : nameOf(keyNo);
    analytics.add({
      bucket,
      workflowId: nameOf(workflowNo),
      dim: DIMS[kind] ?? "execution",
      key,
      slot,
      count,
    });
  }
  for (const { bucket, workflowNo, typeNo, sums } of types) {
    const key = nameOf(typeNo);
    analytics.add({
      bucket,
      workflowId: nameOf(workflowNo),
      dim: "nodeType",
      key,
      slot: -1,
      count: 0,
      sums,
    });
  }
}

/** By the numbers of STAT. */
const DIMS: readonly AnalyticsCell["dim"][] = ["execution", "latency", "nodeType", "model"];

type Session = OpenScope["session"];

const ROLLED_UP = `grain <> ${PRUNED_GRAIN}`;
const COLUMNS = SUM_COLUMNS.join(", ");

async function readUsage(
  session: Session,
  schema: string,
  scopeNo: number,
  where: string,
): Promise<UsageRow[]> {
  const rows = (await session.rows(
    `SELECT cube, grain, bucket::float8, workflow_no, model_no, ${COLUMNS} FROM ${schema}.usage WHERE scope_no = $1 AND ${where}`,
    scopeNo,
  )) as number[][];
  return rows.map(([cube = 0, grain = 0, bucket = 0, workflowNo = 0, modelNo = 0, ...sums]) => ({
    ...{ cube, grain, bucket, workflowNo, modelNo, sums },
  }));
}

async function readTypeSums(
  session: Session,
  schema: string,
  scopeNo: number,
  where: string,
): Promise<StatUsageRow[]> {
  const rows = (await session.rows(
    `SELECT cube, grain, bucket::float8, workflow_no, type_no, ${COLUMNS} FROM ${schema}.stat_usage WHERE scope_no = $1 AND ${where}`,
    scopeNo,
  )) as number[][];
  return rows.map(([cube = 0, grain = 0, bucket = 0, workflowNo = 0, typeNo = 0, ...sums]) => ({
    ...{ cube, grain, bucket, workflowNo, typeNo, sums },
  }));
}

async function readCounts(
  session: Session,
  schema: string,
  scopeNo: number,
  where: string,
): Promise<StatRow[]> {
  const rows = (await session.rows(
    `SELECT kind, cube, grain, bucket::float8, workflow_no, key_no, slot, n FROM ${schema}.stat WHERE scope_no = $1 AND ${where}`,
    scopeNo,
  )) as number[][];
  return rows.map(
    ([kind = 0, cube = 0, grain = 0, bucket = 0, workflowNo = 0, keyNo = 0, slot = 0, count = 0]) => ({
      ...{ kind, cube, grain, bucket, workflowNo, keyNo, slot, count },
    }),
  );
}

async function mendUsage(scope: OpenScope, schema: string, expected: UsageRow[]): Promise<boolean> {
  const { session, scopeNo } = scope;
  const stored = await readUsage(session, schema, scopeNo, ROLLED_UP);
  const key = ({ cube, grain, bucket, workflowNo, modelNo, sums }: UsageRow): string =>
    keyOf([cube, grain, bucket, workflowNo, modelNo], sums);
  if (sameRows(stored.map(key), expected.map(key))) return false;
  await session.rows(`DELETE FROM ${schema}.usage WHERE scope_no = $1 AND ${ROLLED_UP}`, scopeNo);
  await addUsage({ session, schema, scopeNo }, expected);
  return true;
}

async function mendTypeSums(scope: OpenScope, schema: string, expected: StatUsageRow[]): Promise<boolean> {
  const { session, scopeNo } = scope;
  const stored = await readTypeSums(session, schema, scopeNo, ROLLED_UP);
  const key = ({ cube, grain, bucket, workflowNo, typeNo, sums }: StatUsageRow): string =>
    keyOf([cube, grain, bucket, workflowNo, typeNo], sums);
  if (sameRows(stored.map(key), expected.map(key))) return false;
  await session.rows(`DELETE FROM ${schema}.stat_usage WHERE scope_no = $1 AND ${ROLLED_UP}`, scopeNo);
  await addStats({ session, schema, scopeNo }, { stats: [], usage: expected });
  return true;
}

async function mendCounts(scope: OpenScope, schema: string, expected: StatRow[]): Promise<boolean> {
  const { session, scopeNo } = scope;
  const stored = await readCounts(session, schema, scopeNo, ROLLED_UP);
  const key = ({ kind, cube, grain, bucket, workflowNo, keyNo, slot, count }: StatRow): string =>
    keyOf([kind, cube, grain, bucket, workflowNo, keyNo, slot], [count]);
  if (sameRows(stored.map(key), expected.map(key))) return false;
  await session.rows(`DELETE FROM ${schema}.stat WHERE scope_no = $1 AND ${ROLLED_UP}`, scopeNo);
  await addStats({ session, schema, scopeNo }, { stats: expected, usage: [] });
  return true;
}

function keyOf(key: readonly number[], sums: Sums): string {
  return `${key.join("|")}=${sums.join(",")}`;
}

function sameRows(stored: readonly string[], expected: readonly string[]): boolean {
  const left = new Set(stored);
  return stored.length === expected.length && expected.every((row) => left.has(row));
}
