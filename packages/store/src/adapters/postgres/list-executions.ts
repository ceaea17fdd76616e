import {
  type ExecutionSort,
  type ExecutionSummary,
  invalidCursor,
  type ListExecutionsQuery,
  type Page,
} from "@spanloom/model";
import {
  cursorAfter,
  type Position,
  type ReadQuery,
  readQuery,
  SORTED_CHARACTERS,
  type SortValue,
  sortValue,
} from "../../list-query.ts";
import { arrayOf, type SqlValue } from "./client.ts";
import type { Session } from "./database.ts";
import { isWellFormed, keyText, searchText } from "./key-text.ts";
import { DIM, type Names } from "./names.ts";

/** What each sort orders by. */
const SORT_COLUMN: Record<ExecutionSort, string> = {
  startTime: "start_time",
  workflowName: "workflow_name",
  status: "status",
  durationMs: "duration_ms",
  cost: "nano_usd",
  nodeCount: "node_count",
  spanCount: "span_count",
};

/** Sorts whose value may be unknown. */
const MAY_LACK: ReadonlySet<ExecutionSort> = new Set(["workflowName", "durationMs", "cost"]);

/** The columns by which an execution is filtered and sorted. */
export interface SortKeys {
  workflowName: string | null;
  search: string;
}

export function sortKeysOf({ executionId, workflowId, workflowName }: ExecutionSummary): SortKeys {
  // A noncharacter between them: no text is found across two.
  const parts = [executionId, workflowId, workflowName].flatMap((part) => part?.toLowerCase() ?? []);
  return {
    workflowName: workflowName === undefined ? null : keyText(workflowName.slice(0, SORTED_CHARACTERS)),
    search: searchText(parts.join("\u{10fffe}")),
  };
}

/** Lists executions as `listPage` does: unknown values last in either direction, ties by execution id. */
export async function listExecutions(
  session: Session,
  schema: string,
  names: Names,
  scopeNo: number | undefined,
  query: ReadQuery,
): Promise<Page<ExecutionSummary>> {
  const filter = scopeNo === undefined ? undefined : await filterOf(session, names, scopeNo, query);
  if (filter === undefined) return { items: [] };
  // One more than asked for tells whether there is a next page.
  const wanted = query.limit + 1;
  const rows: ExecutionSummary[] = [];
  if (query.after === undefined || query.after.value !== undefined) {
    rows.push(...(await select(session, schema, known(query, filter), wanted)));
  }
  if (MAY_LACK.has(query.by) && rows.length < wanted) {
    rows.push(...(await select(session, schema, unknown(query, filter), wanted - rows.length)));
  }
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  if (last === undefined || rows.length <= query.limit) return { items };
  return {
    items,
    nextCursor: cursorAfter(query, { value: sortValue(last, query.by), id: last.executionId }),
  };
}

/** Checks what was asked for. Throws `invalid_argument` and `invalid_cursor`. */
export function checkList(asked: ListExecutionsQuery): ReadQuery {
  const query = readQuery(asked);
  if (query.after !== undefined && !isPosition(query.by, query.after.value)) throw invalidCursor();
  return query;
}

/** The executions of these ids, in the order asked for. */
export async function getExecutions(
  session: Session,
  schema: string,
  scopeNo: number | undefined,
  executionIds: readonly string[],
): Promise<ExecutionSummary[]> {
  if (scopeNo === undefined || executionIds.length === 0) return [];
  const rows = (await session.rows(
    `SELECT summary::text FROM ${schema}.execution
     WHERE scope_no = $1 AND execution_id = ANY($2::text[]) AND span_count > 0`,
    scopeNo,
    arrayOf([...new Set(executionIds)].filter(isWellFormed).map(keyText)),
  )) as [string][];
  const found = new Map(
    rows.map(([text]) => {
      const summary = JSON.parse(text) as ExecutionSummary;
      return [summary.executionId, summary];
    }),
  );
  return executionIds.flatMap((id) => {
    const summary = found.get(id);
    return summary === undefined ? [] : [structuredClone(summary)];
  });
}

/** What is no value of the column, the server would refuse in its own words. */
function isPosition(by: ExecutionSort, value: SortValue): boolean {
  if (by === "startTime") return /^\d{1,19}$/.test(String(value)) && BigInt(String(value)) < 2n ** 63n;
  if (by === "nodeCount" || by === "spanCount")
    return Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31;
  return true;
}

interface Condition {
  where: string[];
  values: SqlValue[];
  order: string;
}

/** `undefined` where nothing can match. */
async function filterOf(
  session: Session,
  names: Names,
  scopeNo: number,
  query: ReadQuery,
): Promise<Condition | undefined> {
  const condition: Condition = { where: ["span_count > 0"], values: [], order: "" };
  add(condition, "scope_no = ?", scopeNo);
  if (query.workflowId !== undefined) {
    const workflowNo = await names.findDim(session, scopeNo, DIM.workflow, query.workflowId);
    if (workflowNo === undefined) return undefined;
    add(condition, "workflow_no = ?", workflowNo);
  }
  if (query.threadId !== undefined) {
    if (!isWellFormed(query.threadId)) return undefined;
    add(condition, "thread_id = ?", keyText(query.threadId));
  }
  if (query.statuses !== undefined) add(condition, "status = ANY(?::text[])", arrayOf(query.statuses));
  if (query.text !== undefined) add(condition, "strpos(search, ?) > 0", searchText(query.text));
  if (query.from !== undefined) add(condition, "start_time >= ?::bigint", query.from);
  if (query.to !== undefined) add(condition, "start_time < ?::bigint", query.to);
  return condition;
}

/** Rows whose value is known. */
function known({ by, direction, after }: ReadQuery, filter: Condition): Condition {
  const column = SORT_COLUMN[by];
  const condition = {
    where: [...filter.where],
    values: [...filter.values],
    order: `${column} ${direction}, `,
  };
  if (MAY_LACK.has(by)) condition.where.push(`${column} IS NOT NULL`);
  if (after !== undefined) {
    const beyond = direction === "asc" ? ">" : "<";
    const position = positionOf(by, after);
    // The first condition bounds the index; the second cuts ties off.
    add(condition, `${column} ${beyond}= ?`, position);
    add(condition, `(${column} ${beyond} ? OR execution_id > ?)`, position, keyText(after.id));
  }
  return condition;
}

/** Rows whose value is not known: they come last. */
function unknown({ by, after }: ReadQuery, filter: Condition): Condition {
  const condition = {
    where: [...filter.where, `${SORT_COLUMN[by]} IS NULL`],
    values: [...filter.values],
    order: "",
  };
  if (after !== undefined && after.value === undefined) add(condition, "execution_id > ?", keyText(after.id));
  return condition;
}

function add(condition: Condition, sql: string, ...values: SqlValue[]): void {
  for (const value of values) condition.values.push(value);
  let number = condition.values.length - values.length;
  condition.where.push(sql.replaceAll("?", () => `$${++number}`));
}

async function select(
  session: Session,
  schema: string,
  { where, values, order }: Condition,
  limit: number,
): Promise<ExecutionSummary[]> {
  const rows = await session.ask(
    `SELECT summary::text FROM ${schema}.execution WHERE ${where.join(" AND ")}
     ORDER BY ${order}execution_id LIMIT ${limit}`,
    ...values,
  );
  return (rows as [string][]).map(([text]) => JSON.parse(text) as ExecutionSummary);
}

function positionOf(by: ExecutionSort, { value }: Position): SqlValue {
  if (by === "workflowName" || by === "status") return keyText(String(value));
  return value ?? null;
}
