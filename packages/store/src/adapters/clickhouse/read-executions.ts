import type { ExecutionSort, ExecutionSummary, ListExecutionsQuery, Page } from "@spanloom/model";
import { cursorAfter, type Position, type ReadQuery, readQuery, sortValue } from "../../list-query.ts";
import type { Database, Params } from "./client.ts";

/** An execution as it is stored. */
export interface ExecutionRow {
  executionId: string;
  seq: number;
  version: number;
  /** It has no spans: it only tells those who followed it what went away. */
  hidden: boolean;
  deleted: boolean;
  traceIds: string[];
  summary: ExecutionSummary;
}

/** What each sort orders by, and the type of its values in a cursor. */
const SORT_COLUMNS: Record<ExecutionSort, readonly [column: string, type: string]> = {
  startTime: ["start_time", "Int64"],
  workflowName: ["sort_name", "String"],
  status: ["status", "String"],
  durationMs: ["duration_ms", "Float64"],
  cost: ["nano_usd", "Int64"],
  nodeCount: ["node_count", "Int64"],
  spanCount: ["span_count", "Int64"],
};
/** Sorts whose value may be unknown. */
const MAY_LACK: ReadonlySet<ExecutionSort> = new Set(["workflowName", "durationMs", "cost"]);

/** Lists executions as `listPage` does: unknown values last in either direction, ties by execution id. */
export async function listExecutions(
  db: Database,
  scope: string,
  asked: ListExecutionsQuery,
): Promise<Page<ExecutionSummary>> {
  const query = readQuery(asked);
  const where = ["scope = {scope:String}", "hidden = 0"];
  const params: Params = { scope };
  filter(query, where, params);
  const [column, type] = SORT_COLUMNS[query.by];
  if (query.after !== undefined) where.push(beyond(query, query.after, column, type, params));
  const order = MAY_LACK.has(query.by)
    ? [`isNull(${column})`, `${column} ${query.direction}`]
    : [`${column} ${query.direction}`];
  // One more than asked for tells whether there is a next page.
  const rows = await db.rows<{ summary: string }>(
    `SELECT summary FROM ${db.name}.execution FINAL WHERE ${where.join(" AND ")}
     ORDER BY ${[...order, "execution_id"].join(", ")} LIMIT ${query.limit + 1}`,
    params,
  );
  const items = rows.slice(0, query.limit).map((row) => JSON.parse(row.summary) as ExecutionSummary);
  const last = items.at(-1);
  if (last === undefined || rows.length <= query.limit) return { items };
  return {
    items,
    nextCursor: cursorAfter(query, { value: sortValue(last, query.by), id: last.executionId }),
  };
}

/** Those of the executions that are stored, by id. */
export async function findExecutions(
  db: Database,
  scope: string,
  executionIds: readonly string[],
): Promise<Map<string, ExecutionRow>> {
  if (executionIds.length === 0) return new Map();
  const rows = await db.rows<{
    execution_id: string;
    seq: number;
    version: number;
    hidden: number;
    deleted: number;
    trace_ids: string[];
    summary: string;
  }>(
    `SELECT execution_id, seq, version, hidden, deleted, trace_ids, summary FROM ${db.name}.execution
     WHERE scope = {scope:String} AND execution_id IN {ids:Array(String)} ORDER BY version DESC LIMIT 1 BY execution_id`,
    { scope, ids: executionIds },
  );
  return new Map(
    rows.map((row) => [
      row.execution_id,
      {
        executionId: row.execution_id,
        seq: row.seq,
        version: row.version,
        hidden: row.hidden === 1,
        deleted: row.deleted === 1,
        traceIds: row.trace_ids,
        summary: JSON.parse(row.summary) as ExecutionSummary,
      },
    ]),
  );
}

function filter(query: ReadQuery, where: string[], params: Params): void {
  const { workflowId, threadId, statuses, text, from, to } = query;
  const add = (condition: string, name: string, value: Params[string]): void => {
    where.push(condition);
    params[name] = value;
  };
  if (workflowId !== undefined) add("workflow_id = {workflow:String}", "workflow", workflowId);
  if (threadId !== undefined) add("thread_id = {thread:String}", "thread", threadId);
  if (statuses !== undefined) add("status IN {statuses:Array(String)}", "statuses", statuses);
  if (text !== undefined) add("position(search, {text:String}) > 0", "text", text);
  // Decimal text of up to 19 digits: a number would lose the last ones.
  if (from !== undefined) add("start_time >= toInt64({from:String})", "from", from);
  if (to !== undefined) add("start_time < toInt64({to:String})", "to", to);
}

function beyond(
  { by, direction }: ReadQuery,
  after: Position,
  column: string,
  type: string,
  params: Params,
): string {
  params.id = after.id;
  const later = "execution_id > {id:String}";
  if (after.value === undefined) return `isNull(${column}) AND ${later}`;
  params.value = String(after.value);
  const value = type === "String" ? "{value:String}" : `to${type}({value:String})`;
  const further = `${column} ${direction === "asc" ? ">" : "<"} ${value} OR (${column} = ${value} AND ${later})`;
  return MAY_LACK.has(by) ? `(isNull(${column}) OR ${further})` : `(${further})`;
}
