import type { ExecutionSort, ExecutionSummary, ListExecutionsQuery, Page } from "@spanloom/model";
import {
  cursorAfter,
  type Position,
  type ReadQuery,
  readQuery,
  SORTED_CHARACTERS,
  sortValue,
} from "../../list-query.ts";
import { splitTime } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import type { SqlValue } from "./driver.ts";
import { DIM, type Names } from "./names.ts";
import { findExecution, SUMMARY_COLUMNS, toFound } from "./read-summaries.ts";

/** What each sort orders by; where an index has the expression, it must be written the same there. */
const SORT_COLUMNS: Record<ExecutionSort, readonly string[]> = {
  startTime: ["start_ms", "start_ns"],
  workflowName: [`substr(workflow_name, 1, ${SORTED_CHARACTERS})`],
  status: ["status"],
  durationMs: ["duration_ms"],
  cost: ["(CASE WHEN priced > 0 THEN nano_usd END)"],
  nodeCount: ["n_nodes"],
  spanCount: ["n_spans"],
};

/** Sorts whose value may be unknown. */
const MAY_LACK: ReadonlySet<ExecutionSort> = new Set(["workflowName", "durationMs", "cost"]);

/** Lists executions as `listPage` does: unknown values last in either direction, ties by execution id. */
export function listExecutions(
  db: Connection,
  names: Names,
  scope: string,
  asked: ListExecutionsQuery,
): Page<ExecutionSummary> {
  const query = readQuery(asked);
  const scopeNo = names.findScope(scope);
  const filter = scopeNo === undefined ? undefined : filterOf(names, scopeNo, query);
  if (filter === undefined) return { items: [] };
  const rows: ExecutionSummary[] = [];
  // One more than asked for tells whether there is a next page.
  const wanted = query.limit + 1;
  if (query.after === undefined || query.after.value !== undefined)
    rows.push(...known(db, query, filter, wanted));
  if (MAY_LACK.has(query.by) && rows.length < wanted) {
    rows.push(...unknown(db, query, filter, wanted - rows.length));
  }
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  if (last === undefined || rows.length <= query.limit) return { items };
  return {
    items,
    nextCursor: cursorAfter(query, { value: sortValue(last, query.by), id: last.executionId }),
  };
}

/** The executions of these ids, in the order asked for. */
export function getExecutions(
  db: Connection,
  names: Names,
  scope: string,
  executionIds: readonly string[],
): ExecutionSummary[] {
  const scopeNo = names.findScope(scope);
  return executionIds.flatMap((id) => {
    const found = findExecution(db, scopeNo, id);
    return found === undefined || found.hidden ? [] : [found.summary];
  });
}

interface Filter {
  where: string[];
  values: SqlValue[];
}

/** `undefined` where nothing can match. */
function filterOf(names: Names, scopeNo: number, query: ReadQuery): Filter | undefined {
  const where = ["scope_no = ?", "hidden = 0"];
  const values: SqlValue[] = [scopeNo];
  const add = (condition: string, ...more: SqlValue[]): void => {
    where.push(condition);
    values.push(...more);
  };
  if (query.workflowId !== undefined) {
    const workflowNo = names.findDim(scopeNo, DIM.workflow, query.workflowId);
    if (workflowNo === undefined) return undefined;
    add("workflow_no = ?", workflowNo);
  }
  if (query.threadId !== undefined) add("thread_id = ?", query.threadId);
  if (query.statuses !== undefined) {
    const statuses = [...new Set(query.statuses)];
    add(`status IN (${statuses.map(() => "?").join(", ")})`, ...statuses);
  }
  if (query.text !== undefined) add("instr(search, ?) > 0", query.text);
  if (query.from !== undefined) add("(start_ms, start_ns) >= (?, ?)", ...splitTime(query.from));
  if (query.to !== undefined) add("(start_ms, start_ns) < (?, ?)", ...splitTime(query.to));
  return { where, values };
}

/** Rows whose value is known. */
function known(db: Connection, query: ReadQuery, filter: Filter, limit: number): ExecutionSummary[] {
  const columns = SORT_COLUMNS[query.by];
  const tuple = `(${columns.join(", ")})`;
  const where = [...filter.where];
  const values = [...filter.values];
  if (MAY_LACK.has(query.by)) where.push(`${columns[0]} IS NOT NULL`);
  if (query.after !== undefined) {
    const position = positionOf(query.by, query.after);
    const places = `(${columns.map(() => "?").join(", ")})`;
    const beyond = query.direction === "asc" ? ">" : "<";
    // The first condition bounds the index; the second cuts ties off.
    where.push(`${tuple} ${beyond}= ${places}`, `(${tuple} ${beyond} ${places} OR execution_id > ?)`);
    values.push(...position, ...position, query.after.id);
  }
  const order = columns.map((column) => `${column} ${query.direction}`);
  return select(db, where, order, values, limit);
}

/** Rows whose value is not known: they come last. */
function unknown(db: Connection, query: ReadQuery, filter: Filter, limit: number): ExecutionSummary[] {
  const where = [...filter.where, `${SORT_COLUMNS[query.by][0]} IS NULL`];
  const values = [...filter.values];
  if (query.after !== undefined && query.after.value === undefined) {
    where.push("execution_id > ?");
    values.push(query.after.id);
  }
  return select(db, where, [], values, limit);
}

function select(
  db: Connection,
  where: readonly string[],
  order: readonly string[],
  values: readonly SqlValue[],
  limit: number,
): ExecutionSummary[] {
  const sql = `SELECT ${SUMMARY_COLUMNS} FROM execution WHERE ${where.join(" AND ")}
    ORDER BY ${[...order, "execution_id"].join(", ")} LIMIT ?`;
  return db
    .statement(sql)
    .all(...values, limit)
    .map((row) => toFound(db, row).summary);
}

function positionOf(by: ExecutionSort, { value }: Position): readonly SqlValue[] {
  return by === "startTime" ? splitTime(String(value)) : [value ?? null];
}
