import {
  decodeCursor,
  EXECUTION_SORTS,
  EXECUTION_STATUSES,
  type ExecutionSort,
  type ExecutionStatus,
  type ExecutionSummary,
  encodeCursor,
  invalidCursor,
  isUnixNanos,
  type ListExecutionsQuery,
  type Page,
  SpanloomError,
} from "@spanloom/model";
import { checkFilter, checkOneOf, checkWhole } from "./check-arguments.ts";

/** Longer names sort by their beginning, so that a cursor stays small. */
export const SORTED_CHARACTERS = 200;

export type SortValue = string | number | undefined;

/**
 * Lists executions as every store must: by what the query asks, unknown values last in either direction, ties by
 * execution id. A cursor holds the last row's value and id, so that rows which come or go between pages neither repeat
 * nor hide others. Throws `invalid_argument` and `invalid_cursor`.
 */
export function listPage(
  summaries: Iterable<ExecutionSummary>,
  query: ListExecutionsQuery = {},
): Page<ExecutionSummary> {
  const read = readQuery(query);
  const { by, direction, limit, after } = read;
  const rows: Row[] = [];
  for (const summary of summaries) {
    if (!matches(read, summary)) continue;
    const row = { value: sortValue(summary, by), id: summary.executionId, summary };
    if (after === undefined || compareRows(row, after, direction) > 0) rows.push(row);
  }
  rows.sort((a, b) => compareRows(a, b, direction));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => row.summary),
    ...(last !== undefined && rows.length > limit && { nextCursor: cursorAfter(read, last) }),
  };
}

/** The last row of a page: what it sorts by, and its id. */
export interface Position {
  value: SortValue;
  id: string;
}

interface Row extends Position {
  summary: ExecutionSummary;
}

/** A query that was checked. Times are padded, so that they order as text; `text` is in lower case. */
export interface ReadQuery {
  workflowId?: string;
  threadId?: string;
  statuses?: ExecutionStatus[];
  text?: string;
  from?: string;
  to?: string;
  by: ExecutionSort;
  direction: "asc" | "desc";
  limit: number;
  after?: Position;
  fingerprint: string;
}

/** Checks what was asked for. Throws `invalid_argument` and `invalid_cursor`. */
export function readQuery(query: ListExecutionsQuery): ReadQuery {
  const by = checkOneOf(query.sort?.by, "sort.by", EXECUTION_SORTS, "startTime");
  const direction = checkOneOf(query.sort?.direction, "sort.direction", ["asc", "desc"] as const, "desc");
  const limit = checkWhole(query.limit, "limit", { least: 1, most: 500, fallback: 50 });
  const statuses = readStatuses(query.status);
  const workflowId = checkFilter(query.workflowId, "workflowId");
  const threadId = checkFilter(query.threadId, "threadId");
  const text = checkFilter(query.text, "text")?.toLowerCase();
  const from = checkTime(query.from, "from");
  const to = checkTime(query.to, "to");
  const fingerprint = fingerprintOf([by, direction, statuses, workflowId, threadId, text, from, to]);
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor, fingerprint, by);
  return { workflowId, threadId, statuses, text, from, to, by, direction, limit, after, fingerprint };
}

function readStatuses(given: unknown): ExecutionStatus[] | undefined {
  if (given === undefined) return undefined;
  if (Array.isArray(given))
    return given.flatMap(
      (status) => checkOneOf(status ?? null, "status", EXECUTION_STATUSES, undefined) ?? [],
    );
  throw new SpanloomError("invalid_argument", {
    what: "The filter status cannot be used.",
    why: "It must be an array of statuses.",
    fix: "Put a single status into an array, too.",
  });
}

/** The cursor of the page after `last`. */
export function cursorAfter({ fingerprint }: ReadQuery, last: Position): string {
  return encodeCursor([fingerprint, last.value ?? null, last.id]);
}

function matches(
  { workflowId, threadId, statuses, text, from, to }: ReadQuery,
  summary: ExecutionSummary,
): boolean {
  return (
    (workflowId === undefined || summary.workflowId === workflowId) &&
    (threadId === undefined || summary.threadId === threadId) &&
    (statuses === undefined || statuses.includes(summary.status)) &&
    (from === undefined || sortableTime(summary.startTime) >= from) &&
    (to === undefined || sortableTime(summary.startTime) < to) &&
    (text === undefined || holdsText(summary, text))
  );
}

function readCursor(cursor: unknown, fingerprint: string, by: ExecutionSort): Position {
  const position = typeof cursor === "string" ? decodeCursor(cursor) : undefined;
  if (!Array.isArray(position) || position.length !== 3) throw invalidCursor();
  const [mark, value, id] = position;
  const type = by === "startTime" || by === "workflowName" || by === "status" ? "string" : "number";
  const known = typeof value === "string" || typeof value === "number";
  if (mark !== fingerprint || typeof id !== "string" || (value !== null && typeof value !== type)) {
    throw invalidCursor();
  }
  return { value: known ? value : undefined, id };
}

/** What a summary sorts by; `undefined` where unknown. */
export function sortValue(summary: ExecutionSummary, by: ExecutionSort): SortValue {
  if (by === "startTime") return sortableTime(summary.startTime);
  if (by === "cost") return summary.cost.nanoUsd;
  if (by === "workflowName") return summary.workflowName?.slice(0, SORTED_CHARACTERS);
  return summary[by];
}

function compareRows(a: Position, b: Position, direction: "asc" | "desc"): number {
  if (a.value === undefined || b.value === undefined) {
    if (a.value !== b.value) return a.value === undefined ? 1 : -1;
  } else if (a.value !== b.value) {
    return a.value < b.value === (direction === "asc") ? -1 : 1;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function holdsText({ executionId, workflowId, workflowName }: ExecutionSummary, text: string): boolean {
  return [executionId, workflowId, workflowName].some((part) => part?.toLowerCase().includes(text));
}

/** Nanoseconds with leading zeros, so that they order as text. */
function sortableTime(time: string): string {
  return time.padStart(19, "0");
}

function checkTime(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (isUnixNanos(value)) return sortableTime(value);
  throw new SpanloomError("invalid_argument", {
    what: `The filter ${name} is not a time.`,
    why: "A time is Unix nanoseconds as a decimal string.",
    fix: "Make it with nanosFromMillis or rfc3339ToNanos.",
  });
}

/** FNV-1a: tells whether a cursor comes from the same question. No secret; a forged cursor only moves its owner's page. */
export function fingerprintOf(question: readonly unknown[]): string {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(question)) {
    hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
