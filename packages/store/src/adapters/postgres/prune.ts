import {
  compareNanos,
  type ExecutionSummary,
  isUnixNanos,
  type PruneReport,
  type PruneRequest,
  SpanloomError,
  type UnixNanos,
} from "@spanloom/model";
import { checkWhole } from "../../check-arguments.ts";
import { arrayOf } from "./client.ts";
import type { Session } from "./database.ts";
import { textOfKey } from "./key-text.ts";
import type { OpenScope } from "./scope-writer.ts";

/** A request that was checked. */
export interface CheckedPrune {
  before: UnixNanos;
  /** Unix seconds: sums of before are to go; absent where all stay. */
  sumsFrom: number | undefined;
  limit: number;
}

const DAY_SECONDS = 86_400;

/** Throws `invalid_argument`. */
export function checkPrune({ before, sumsBefore, limit }: PruneRequest): CheckedPrune {
  const seconds =
    sumsBefore === undefined
      ? undefined
      : Number(BigInt(checkTime(sumsBefore, "sumsBefore")) / 1_000_000_000n);
  return {
    before: checkTime(before, "before"),
    sumsFrom: seconds === undefined ? undefined : Math.floor(seconds / DAY_SECONDS) * DAY_SECONDS,
    limit: checkWhole(limit, "limit", { least: 1, most: 10_000, fallback: 200 }),
  };
}

/** Scopes in which something is to be pruned; draws the line in all others at once. */
export async function scopesToPrune(
  session: Session,
  schema: string,
  { before, sumsFrom = 0 }: CheckedPrune,
): Promise<string[]> {
  const rows = (await session.rows(
    `SELECT name FROM ${schema}.scope s WHERE s.sums_from < $2 OR EXISTS (
       SELECT 1 FROM ${schema}.execution e WHERE e.scope_no = s.scope_no AND e.span_count > 0 AND e.start_time < $1 AND e.last_time < $1)
     ORDER BY scope_no`,
    before,
    sumsFrom,
  )) as [string][];
  await session.rows(
    `UPDATE ${schema}.scope SET watermark = $1::bigint WHERE watermark < $1::bigint`,
    before,
  );
  return rows.map(([name]) => textOfKey(name));
}

/** One step in one scope. */
export async function pruneScope(
  scope: OpenScope,
  schema: string,
  request: CheckedPrune,
): Promise<PruneReport> {
  const { session, scopeNo, ledger } = scope;
  const { before, limit } = request;
  if (request.sumsFrom !== undefined && request.sumsFrom > scope.sumsFrom) {
    await dropSums(session, schema, scopeNo, request.sumsFrom);
  }
  if (compareNanos(before, ledger.watermark ?? "0") > 0) {
    await session.rows(
      `UPDATE ${schema}.scope SET watermark = $2::bigint WHERE scope_no = $1`,
      scopeNo,
      before,
    );
    ledger.watermark = before;
  }
  const taken: Member[] = [];
  const more = await takeOld(session, schema, scopeNo, before, limit, taken);
  if (taken.length === 0) return { executions: 0, spans: 0, more };
  const ids = {
    traceIds: taken.flatMap(({ traceIds }) => traceIds),
    executionIds: taken.map(({ executionId }) => executionId),
  };
  await scope.load(ledger.missingIds(ids));
  const changes = ledger.prune(ledger.component(ids));
  await scope.save(changes);
  // Rows that are gone tell no other process that they are.
  await scope.unsettle();
  return { executions: taken.length, spans: changes.removed.length, more };
}

/** Takes executions until there are enough, each with all that share traces with it. True when more wait. */
async function takeOld(
  session: Session,
  schema: string,
  scopeNo: number,
  before: UnixNanos,
  limit: number,
  taken: Member[],
): Promise<boolean> {
  let after: Position = { startTime: "-1", executionId: "" };
  const seen = new Set<number>();
  for (;;) {
    const found = await readOld(session, schema, scopeNo, before, after, limit + 1);
    const last = found.at(-1);
    if (last === undefined) return false;
    for (const component of await componentsOf(session, schema, found)) {
      // Executions that hold together go together.
      if (component.some(({ no, lastTime }) => seen.has(no) || compareNanos(lastTime, before) >= 0)) continue;
      if (taken.length >= limit) return true;
      for (const member of component) seen.add(member.no);
      taken.push(...component);
    }
    if (found.length <= limit) return false;
    after = last;
  }
}

interface Position {
  startTime: string;
  /** As a key. */
  executionId: string;
}

interface OldExecution extends Position {
  no: number;
}

interface Member {
  no: number;
  lastTime: UnixNanos;
  executionId: string;
  traceIds: string[];
}

async function readOld(
  session: Session,
  schema: string,
  scopeNo: number,
  before: UnixNanos,
  after: Position,
  limit: number,
): Promise<OldExecution[]> {
  const rows = (await session.rows(
    `SELECT exec_no::float8, start_time::text, execution_id FROM ${schema}.execution
     WHERE scope_no = $1 AND span_count > 0 AND start_time < $2 AND last_time < $2 AND (start_time, execution_id) > ($3, $4)
     ORDER BY start_time, execution_id LIMIT $5`,
    scopeNo,
    before,
    after.startTime,
    after.executionId,
    limit,
  )) as [number, string, string][];
  return rows.map(([no, startTime, executionId]) => ({ no, startTime, executionId }));
}

/** The executions with all that share traces with them, directly or through others, each group once. */
async function componentsOf(
  session: Session,
  schema: string,
  found: readonly OldExecution[],
): Promise<Member[][]> {
  const rows = (await session.rows(
    `WITH RECURSIVE part(exec_no) AS (
       SELECT * FROM unnest($1::bigint[])
       UNION
       SELECT beside.exec_no FROM part
         CROSS JOIN LATERAL (
           SELECT t.scope_no, t.trace_id FROM ${schema}.exec_trace t WHERE t.exec_no = part.exec_no OFFSET 0) AS own
         CROSS JOIN LATERAL (
           SELECT t.exec_no FROM ${schema}.exec_trace t
           WHERE t.scope_no = own.scope_no AND t.trace_id = own.trace_id OFFSET 0) AS beside)
     SELECT e.exec_no::float8, e.last_time::text, e.summary::text FROM part
       CROSS JOIN LATERAL (SELECT * FROM ${schema}.execution x WHERE x.exec_no = part.exec_no OFFSET 0) AS e
     ORDER BY e.start_time, e.execution_id`,
    arrayOf(found.map(({ no }) => no)),
  )) as [number, string, string][];
  const members = rows.map(([no, lastTime, text]): Member => {
    const { executionId, traceIds } = JSON.parse(text) as ExecutionSummary;
    return { no, lastTime, executionId, traceIds };
  });
  const byTrace = new Map<string, Member[]>();
  for (const member of members) {
    for (const traceId of member.traceIds) {
      const others = byTrace.get(traceId);
      if (others === undefined) byTrace.set(traceId, [member]);
      else others.push(member);
    }
  }
  const seen = new Set<Member>();
  return members.flatMap((member) => {
    if (seen.has(member)) return [];
    seen.add(member);
    const component = [member];
    for (const one of component) {
      for (const other of one.traceIds.flatMap((traceId) => byTrace.get(traceId) ?? [])) {
        if (seen.has(other)) continue;
        seen.add(other);
        component.push(other);
      }
    }
    return [component];
  });
}

/** Drops the sums of days that ended before. */
async function dropSums(session: Session, schema: string, scopeNo: number, from: number): Promise<void> {
  for (const table of ["usage", "stat", "stat_usage"]) {
    await session.rows(`DELETE FROM ${schema}.${table} WHERE scope_no = $1 AND bucket < $2`, scopeNo, from);
  }
  await session.rows(`UPDATE ${schema}.scope SET sums_from = $2 WHERE scope_no = $1`, scopeNo, from);
}

function checkTime(value: unknown, name: string): UnixNanos {
  if (isUnixNanos(value)) return value;
  throw new SpanloomError("invalid_argument", {
    what: `The argument ${name} of prune cannot be used.`,
    why: "It must be Unix nanoseconds as a decimal string.",
    fix: "Correct it.",
  });
}
