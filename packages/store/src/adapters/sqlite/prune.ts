import { compareNanos, type UnixNanos } from "@spanloom/model";
import { type Instant, splitTime } from "../../sql/row-codec.ts";
import { SUMS_READ, type Sums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";
import type { StatsFolds } from "./fold-stats.ts";
import type { Names } from "./names.ts";
import { readMarks, saveMarks } from "./retention-marks.ts";
import { createRollups, type Rollups } from "./rollups.ts";
import { readForStats, readKept, type Settling, saveKept, settleOne } from "./settle-stats.ts";
import { createStatCells, type KeptStats, type StatCells } from "./stat-cells.ts";
import { hideExecution, hideTrace, removeExecution, removeTrace } from "./sweep.ts";

/** What one step of pruning a scope looks for. */
export interface PruneQuery {
  before: UnixNanos;
  /** No more than so many executions, but for what shares traces with the last one. */
  limit: number;
  /** Where the step before stopped; absent on the first. */
  after?: PrunePosition;
}

/** The last execution that was looked at. */
export type PrunePosition = [startMs: number, startNs: number, executionId: string];

/** Before every execution. */
const THE_FIRST: PrunePosition = [-1, 0, ""];

export interface PruneStep {
  /** Executions that are gone. */
  removed: string[];
  spans: number;
  /** Where to go on; absent when everything was looked at, or the limit reached. */
  position?: PrunePosition;
  /** The limit was reached, and at least one more waits. */
  more: boolean;
}

/** Executions of more spans are only hidden at once; their rows go in small steps. */
const MOST_AT_ONCE = 200;

/**
 * Removes executions that ended before a time, with all that share traces with them, until the deadline. Their spans,
 * summaries and feeds go; what they added to sums over time stays, and is kept apart besides. Inside one transaction.
 */
export function pruneStep(
  db: Connection,
  names: Names,
  scope: string,
  { before, limit, after }: PruneQuery,
  folds: StatsFolds,
  deadline: number,
): PruneStep {
  const scopeNo = names.scope(scope);
  if (after === undefined) raiseWatermark(db, scopeNo, before);
  const pruning = new Pruning(db, names, scopeNo, splitTime(before), folds);
  const step: PruneStep = { removed: [], spans: 0, more: false };
  let position = after;
  for (const candidate of candidatesOf(db, scopeNo, before, after)) {
    const { no, at } = candidate;
    const component = pruning.componentOf(no);
    if (component !== undefined && step.removed.length >= limit) {
      step.more = true;
      break;
    }
    if (component !== undefined && !pruning.settle(component, deadline)) {
      step.position = position ?? THE_FIRST;
      break;
    }
    position = at;
    for (const execution of component?.executions ?? []) {
      step.removed.push(execution.id);
      step.spans += execution.spans;
    }
    if (component !== undefined) pruning.remove(component);
    if (performance.now() < deadline) continue;
    step.position = position;
    break;
  }
  pruning.save();
  return step;
}

function raiseWatermark(db: Connection, scopeNo: number, before: UnixNanos): void {
  const marks = readMarks(db, scopeNo);
  if (marks.watermark !== undefined && compareNanos(marks.watermark, before) >= 0) return;
  saveMarks(db, scopeNo, { ...marks, watermark: before });
}

const CANDIDATES = `SELECT exec_no, start_ms, start_ns, execution_id FROM execution
  WHERE scope_no = ? AND hidden = 0 AND (start_ms, start_ns) < (?, ?) AND (start_ms, start_ns, execution_id) > (?, ?, ?)
  ORDER BY start_ms, start_ns, execution_id LIMIT 50`;

/** Executions that started before: none other can have ended before. Oldest first; some may go while they are looked at. */
function* candidatesOf(
  db: Connection,
  scopeNo: number,
  before: UnixNanos,
  after: PrunePosition | undefined,
): Generator<{ no: number; at: PrunePosition }> {
  const [ms, ns] = splitTime(before);
  let last = after ?? THE_FIRST;
  for (;;) {
    const rows = db.statement(CANDIDATES).all(scopeNo, ms, ns, ...last) as [number, ...PrunePosition][];
    for (const [no, ...at] of rows) {
      yield { no, at };
      last = at;
    }
    if (rows.length === 0) return;
  }
}

interface Member {
  no: number;
  id: string;
  spans: number;
}

/** Executions that share traces with each other, and those traces. */
interface Component {
  executions: Member[];
  traces: number[];
}

class Pruning {
  private readonly db: Connection;
  private readonly before: Instant;
  /** Looked at, and gone or to stay. */
  private readonly seen = new Set<number>();
  private readonly settling: Settling;
  private readonly pruned: StatCells;
  private readonly usage: Rollups;
  private readonly lastExecution: number;
  private readonly lastTrace: number;

  constructor(db: Connection, names: Names, scopeNo: number, before: Instant, folds: StatsFolds) {
    this.db = db;
    this.before = before;
    this.settling = { db, names, scopeNo, folds, cells: createStatCells(db, scopeNo) };
    this.pruned = createStatCells(db, scopeNo);
    this.usage = createRollups(db, scopeNo);
    this.lastExecution =
      (db.statement("SELECT max(exec_no) FROM execution").get() as [number | null])[0] ?? 0;
    this.lastTrace = (db.statement("SELECT max(trace_no) FROM trace").get() as [number | null])[0] ?? 0;
  }

  /** The execution's component where all of it is old; `undefined` where not, or where it was looked at before. */
  componentOf(execNo: number): Component | undefined {
    if (this.seen.has(execNo)) return undefined;
    const component: Component = { executions: [], traces: [] };
    const open = [execNo];
    const traces = new Set<number>();
    let old = true;
    const members = new Set(open);
    for (let no = open.pop(); no !== undefined; no = open.pop()) {
      this.seen.add(no);
      const member = this.oldMember(no);
      if (member === undefined) {
        old = false;
        continue;
      }
      component.executions.push(member);
      for (const [traceNo, spans] of this.tracesOf(no)) {
        if (traces.has(traceNo)) continue;
        traces.add(traceNo);
        for (const other of this.othersIn(traceNo, no, spans)) {
          if (members.has(other)) continue;
          members.add(other);
          open.push(other);
        }
      }
    }
    component.traces = [...traces];
    return old ? component : undefined;
  }

  /** Brings the statistics up to date. False where the deadline came first: to be called again. */
  settle({ executions }: Component, deadline: number): boolean {
    return executions.every(({ no }) => {
      const row = readForStats(this.db, no);
      return row.settled || settleOne(this.settling, row, deadline);
    });
  }

  /** What was settled goes, but for what it added to sums over time. */
  remove({ executions, traces }: Component): void {
    const { scopeNo } = this.settling;
    for (const { no, spans } of executions) {
      this.keepApart(no);
      // A number is never given again: the greatest one stays taken.
      if (spans <= MOST_AT_ONCE && no < this.lastExecution) removeExecution(this.db, no);
      else hideExecution(this.db, no);
    }
    for (const no of traces) {
      const gone = no < this.lastTrace && executions.every(({ spans }) => spans <= MOST_AT_ONCE);
      if (gone) removeTrace(this.db, scopeNo, no);
      else hideTrace(this.db, scopeNo, no);
    }
  }

  save(): void {
    this.settling.cells.save();
    this.pruned.savePruned();
    this.usage.savePruned();
  }

  private oldMember(no: number): Member | undefined {
    const [ms, ns] = this.before;
    const [id, spans, lastMs, lastNs] = this.db
      .statement("SELECT execution_id, n_spans, last_ms, last_ns FROM execution WHERE exec_no = ?")
      .get(no) as [string, number, number | null, number];
    if (lastMs !== null && (lastMs > ms || (lastMs === ms && lastNs >= ns))) return undefined;
    const active = this.db
      .statement("SELECT 1 FROM span WHERE exec_no = ? AND (start_ms, start_ns) >= (?, ?) LIMIT 1")
      .get(no, ms, ns);
    return active === undefined ? { no, id, spans } : undefined;
  }

  private tracesOf(no: number): [traceNo: number, spans: number][] {
    return this.db.statement("SELECT trace_no, n_spans FROM exec_trace WHERE exec_no = ?").all(no) as [
      number,
      number,
    ][];
  }

  /** Other executions with spans in the trace. Most traces have none, which an index alone can tell. */
  private othersIn(traceNo: number, no: number, own: number): number[] {
    const [all] = this.db.statement("SELECT count(*) FROM span WHERE trace_no = ?").get(traceNo) as [number];
    if (all === own) return [];
    const found = this.db.statement("SELECT DISTINCT exec_no FROM span WHERE trace_no = ?").all(traceNo) as [
      number,
    ][];
    return found.map(([other]) => other).filter((other) => other !== no);
  }

  /** What the execution added to sums over time stays in them; from here on, nothing else says so. */
  private keepApart(no: number): void {
    const { workflowNo } = readForStats(this.db, no);
    const kept = readKept(this.db, no);
    if (kept !== undefined) this.pruned.add(JSON.parse(kept) as KeptStats, 1);
    saveKept(this.db, no, undefined);
    const usage = this.db
      .statement(`SELECT bucket, model_no, ${SUMS_READ} FROM exec_usage WHERE exec_no = ?`)
      .all(no) as [number, number, ...Sums][];
    for (const [bucket, modelNo, ...sums] of usage) this.usage.add(bucket, workflowNo, modelNo, sums);
    this.db.statement("DELETE FROM exec_usage WHERE exec_no = ?").run(no);
  }
}
