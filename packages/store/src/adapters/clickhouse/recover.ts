import type { Missing, StoredExecution, StoredPart } from "../../ledger/changes.ts";
import type { HeldExecution } from "../../ledger/held-execution.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { loadComponents } from "../../ledger/load-components.ts";
import { chunks } from "./chunks.ts";
import type { Database } from "./client.ts";
import { removeSpans } from "./span-rows.ts";

/** How long before the last save a crash is still looked for, in microseconds: a week. */
const LOOK_BACK = 7 * 86_400 * 1e6;

export interface RecoverOptions {
  load(ids: Missing): Promise<StoredPart>;
  /** Saves again what stands beside an execution's spans. */
  restate(execution: HeldExecution): Promise<void>;
  seen(version: number): void;
}

/**
 * Mends what saves that a crash cut off have left in a scope: spans that their execution does not count yet, and spans and
 * sums of an execution that was deleted. Versions tell: those of a save are the same in all tables, and the row of an
 * execution is written last.
 */
export async function recover(
  db: Database,
  scope: string,
  { load, restate, seen }: RecoverOptions,
): Promise<void> {
  const [row] = await db.rows<{ latest: number }>(
    `SELECT max(version) AS latest FROM ${db.name}.execution WHERE scope = {scope:String}`,
    { scope },
  );
  const latest = row?.latest ?? 0;
  seen(latest);
  const from = Math.max(0, latest - LOOK_BACK);
  const touched: Missing = { traceIds: [], executionIds: await halfDeleted(db, scope, from) };
  const left = await db.rows<{ trace_id: string; latest: number }>(
    `SELECT trace_id, max(version) AS latest FROM ${db.name}.span
     LEFT JOIN (SELECT execution_id, max(version) AS counted FROM ${db.name}.execution
                WHERE scope = {scope:String} AND version > {from:UInt64} GROUP BY execution_id) AS saved USING (execution_id)
     WHERE scope = {scope:String} AND version > {from:UInt64} AND version > counted GROUP BY trace_id`,
    { scope, from },
  );
  for (const one of left) {
    seen(one.latest);
    touched.traceIds.push(one.trace_id);
  }
  // Spans that moved stood in others before, which name their traces still.
  for (const traces of chunks(touched.traceIds, 1000)) {
    const rows = await db.rows<{ execution_id: string }>(
      `SELECT execution_id FROM ${db.name}.execution FINAL
       WHERE scope = {scope:String} AND hidden = 0 AND hasAny(trace_ids, {traces:Array(String)})`,
      { scope, traces },
    );
    touched.executionIds.push(...rows.map((one) => one.execution_id));
  }
  if (touched.traceIds.length === 0 && touched.executionIds.length === 0) return;
  const ledger = new Ledger({ mostSpans: Number.POSITIVE_INFINITY });
  const stored = new Map<string, StoredExecution>();
  await loadComponents(ledger, touched, async (ids) => withSeqs(await load(ids), stored));
  for (const executionId of stored.keys()) {
    const execution = ledger.execution(executionId);
    if (execution !== undefined) await restate(execution);
  }
}

/** Deletions that are not done: takes their spans away, and gives those executions that still count somewhere. */
async function halfDeleted(db: Database, scope: string, from: number): Promise<string[]> {
  const params = { scope, from };
  const deleted = `SELECT execution_id FROM ${db.name}.execution FINAL
                   WHERE scope = {scope:String} AND version > {from:UInt64} AND deleted = 1`;
  const spans = await db.rows<{ trace_id: string; span_id: string }>(
    `SELECT trace_id, span_id FROM
       (SELECT trace_id, span_id, execution_id FROM ${db.name}.span
        WHERE scope = {scope:String} AND trace_id IN
          (SELECT trace_id FROM ${db.name}.gone WHERE scope = {scope:String} AND execution_id IN (${deleted}))
        ORDER BY version DESC LIMIT 1 BY trace_id, span_id)
     WHERE execution_id IN (${deleted})`,
    params,
  );
  await removeSpans(
    db,
    scope,
    spans.map((one) => ({ traceId: one.trace_id, spanId: one.span_id })),
  );
  const counted = await db.rows<{ execution_id: string }>(
    `SELECT execution_id FROM
       (SELECT execution_id, bucket FROM ${db.name}.execution_stats
        WHERE scope = {scope:String} AND execution_id IN (${deleted}) ORDER BY version DESC LIMIT 1 BY execution_id)
     WHERE bucket != 0`,
    params,
  );
  return counted.map((row) => row.execution_id);
}

/** Spans and tombstones may have numbers that their execution's row, if there is one, does not have yet. */
function withSeqs(part: StoredPart, stored: Map<string, StoredExecution>): StoredPart {
  const executions = new Set<string>();
  const raise = (executionId: string, seq: number): void => {
    executions.add(executionId);
    const one = stored.get(executionId) ?? { executionId, seq: 0, deleted: false, gone: [] };
    stored.set(executionId, { ...one, seq: Math.max(one.seq, seq) });
  };
  for (const one of part.executions) {
    const before = stored.get(one.executionId)?.seq ?? 0;
    stored.set(one.executionId, one);
    raise(one.executionId, Math.max(before, ...one.gone.map((span) => span.seq)));
  }
  for (const { executionId, seq } of part.spans) raise(executionId, seq);
  return { ...part, executions: [...executions].flatMap((id) => stored.get(id) ?? []) };
}
