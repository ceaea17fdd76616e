import { type ExecutionStats, executionStats, type MeasuredSpan, NodeCollector } from "@spanloom/metrics";
import { contributionOf, type ExecutionStatus, isTerminal } from "@spanloom/model";
import { parseSkeleton } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";

/** Of an execution's row what its statistics need. */
export interface StatsRow {
  no: number;
  seq: number;
  /** Its statistics are those of its last change. */
  settled: boolean;
  hidden: boolean;
  status: ExecutionStatus;
  workflowNo: number;
  startTime: string;
  durationMs: number | undefined;
}

/**
 * What executions add to analytics, by the reference, read from their spans a part at a time: those of a large execution
 * take longer than others should wait. What was begun is kept until it is done or the execution changes.
 */
export interface StatsFolds {
  /** `null` where the execution has no span, `undefined` where the deadline came before its last span: to be asked again. */
  statsOf(row: StatsRow, deadline: number): ExecutionStats | null | undefined;
}

/** Spans that are read at a time. */
const AT_ONCE = 200;
/** Executions whose reading was begun. They can be begun again. */
const MOST_KEPT = 4;
/** An execution that changes faster than it can be read in parts is then read at once. */
const MOST_BEGINNINGS = 2;

export function createStatsFolds(db: Connection): StatsFolds {
  const begun = new Map<number, Fold>();
  return {
    statsOf: (row, deadline) => {
      const { no, seq, hidden, status, startTime, durationMs } = row;
      if (hidden) return null;
      const kept = begun.get(no);
      const fold = kept?.seq === seq ? kept : beginFold(seq, (kept?.beginnings ?? 0) + 1);
      const until = fold.beginnings > MOST_BEGINNINGS ? Number.POSITIVE_INFINITY : deadline;
      // Until it has ended, only that it runs is counted.
      if (isTerminal(status) && !readOn(db, no, fold, until)) {
        if (begun.size >= MOST_KEPT) begun.clear();
        begun.set(no, fold);
        return undefined;
      }
      begun.delete(no);
      const nodes = fold.nodes.totals().map(({ summary }) => summary);
      const measured = durationMs === undefined ? {} : { durationMs };
      return executionStats({ startTime, status, ...measured, nodes }, fold.calls);
    },
  };
}

interface Fold {
  seq: number;
  beginnings: number;
  /** The `seq` of the last span that was read. */
  last: number;
  nodes: NodeCollector;
  calls: MeasuredSpan[];
}

function beginFold(seq: number, beginnings: number): Fold {
  return { seq, beginnings, last: 0, nodes: new NodeCollector(), calls: [] };
}

/** What a span must have and no node looks at. */
const NOT_LOOKED_AT = { executionId: "", resource: { attributes: {} } };

/** True when the last span was read. */
function readOn(db: Connection, execNo: number, fold: Fold, deadline: number): boolean {
  const part = db.statement(
    `SELECT seq, skeleton, below FROM span WHERE exec_no = ? AND seq > ? ORDER BY seq LIMIT ${AT_ONCE}`,
  );
  for (;;) {
    const rows = part.all(execNo, fold.last) as [number, string, number][];
    for (const [seq, skeleton, below] of rows) {
      const span = Object.assign(parseSkeleton(skeleton), NOT_LOOKED_AT);
      const { kind, model, provider, startTime, endTime, syntheticEnd, nodeId } = span;
      if (nodeId !== undefined) fold.nodes.add(nodeId, span, contributionOf(span, below));
      if (kind === "llm" || kind === "embedding") {
        fold.calls.push({ kind, model, provider, startTime, endTime, syntheticEnd });
      }
      fold.last = seq;
    }
    if (rows.length < AT_ONCE) return true;
    if (performance.now() >= deadline) return false;
  }
}
