import type { ExecutionStats } from "@spanloom/metrics";
import type { ExecutionSummary, UnixNanos } from "@spanloom/model";
import type { AnalyticsCell, GoneSpan, UsageCell } from "../../ledger/changes.ts";
import type { Sums } from "../../sql/sums.ts";

/**
 * What stands in the files, a JSON object a line. `n` numbers the saves of a scope, over all its writers and days.
 *
 * A file of `executions` has these lines; those of one save end with a `commit`, and without one they count for nothing:
 * a crash came between. Of an execution the line with the greatest `n` holds, whole.
 */
export type Line = ExecutionLine | TraceLine | ForgottenLine | PrunedLine | RetentionLine | CommitLine;

/** Where spans stand: from the first byte up to, not including, the last one, of a file of `spans`. */
export type SpanRange = [file: string, start: number, end: number];

/** The first two members come first, in this order: they are read without the rest. */
export interface ExecutionLine {
  n: number;
  execution_id: string;
  /** Every trace that it ever had spans of. */
  trace_ids: string[];
  seq: number;
  deleted?: true;
  /** Absent where it has no spans: then it only tells those who followed it what went away. */
  summary?: ExecutionSummary;
  last_activity?: UnixNanos;
  usage: [bucket: number, model: string, sums: Sums][];
  stats?: ExecutionStats;
  gone?: GoneSpan[];
  spans: SpanRange[];
}

/** A trace whose unnamed spans belonged to a deleted execution. */
export interface TraceLine {
  n: number;
  trace_id: string;
  refuses_unnamed: boolean;
}

/** Executions of which nothing is kept. */
export interface ForgottenLine {
  n: number;
  forgotten: string[];
}

/** What pruned executions had added to sums over time; with `total`, instead of all such lines before. */
export interface PrunedLine {
  n: number;
  pruned: { usage: UsageCell[]; analytics: AnalyticsCell[] };
  total?: true;
}

export interface RetentionLine {
  n: number;
  retention: { before: UnixNanos; sums_from: number };
}

export interface CommitLine {
  commit: number;
}

/** A line of a file of `spans`: one state of one span. The one with the greatest `n` holds. */
export interface SpanLine {
  n: number;
  execution_id: string;
  ins_seq: number;
  seq: number;
  /** The span record as it was written; the last member. */
  record: unknown;
}

const EXECUTION_HEAD = /^\{"n":(\d+),"execution_id":("(?:[^"\\]|\\.)*"),/;

/** The head of an execution's line; `undefined` for lines of another kind, and damaged ones. */
export function executionHead(line: string): Pick<ExecutionLine, "n" | "execution_id"> | undefined {
  const found = EXECUTION_HEAD.exec(line);
  if (found === null) return undefined;
  try {
    return { n: Number(found[1]), execution_id: JSON.parse(found[2] as string) as string };
  } catch {
    return undefined;
  }
}

const RECORD = ',"record":';

export function spanLine(head: Omit<SpanLine, "record">, json: string): string {
  return `${JSON.stringify(head).slice(0, -1)}${RECORD}${json}}`;
}

/** Where in a span's line its record stands, in characters. */
export function recordStart(line: string): number {
  return line.indexOf(RECORD) + RECORD.length;
}
