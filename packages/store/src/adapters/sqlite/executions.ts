import type { Instant } from "../../sql/row-codec.ts";
import type { Sums } from "../../sql/sums.ts";
import type { Connection } from "./connection.ts";

/** An execution while a batch works on it: what is stored, and what the batch adds. */
export interface ExecutionRow {
  no: number;
  id: string;
  /** Made by this batch: no row of it is stored yet. */
  isNew: boolean;
  deleted: boolean;
  /** The number of its last change. */
  seq: number;
  /** The `seq` that is stored. */
  storedSeq: number;
  spans: number;
  open: number;
  errors: number;
  nodes: number;
  /** Spans that went away and are still told of in the feed. */
  gone: number;
  /** Earliest start and latest end of its spans. */
  first: Instant | undefined;
  last: Instant | undefined;
  workflowNo: number;
  hasRoot: boolean;
  hasUsage: boolean;

  /** A span that is or was a root changed. */
  rootsChanged: boolean;
  /** The span that gave `first` or `last` may have gone: look again. */
  extremesLost: boolean;
  /** How many spans more or less of each node and trace. */
  nodeDeltas: Map<number, number>;
  traceDeltas: Map<number, number>;
  /** What is added to and taken from its sums, by {@link usageKey}. */
  usage: Map<string, UsageDelta>;
}

export interface UsageDelta {
  bucket: number;
  modelNo: number;
  sums: Sums;
}

/** The executions that a batch touches. */
export interface Executions {
  /** The execution of that name; a new one where there is none. Only what is changed will be stored. */
  byId(id: string): ExecutionRow;
  byNo(no: number): ExecutionRow;
  all(): Iterable<ExecutionRow>;
}

const COLUMNS =
  "exec_no, execution_id, deleted, seq, n_spans, n_open, n_errors, n_nodes, n_gone, " +
  "first_ms, first_ns, last_ms, last_ns, workflow_no, root_span IS NOT NULL, items + priced > 0";

export function createExecutions(db: Connection, scopeNo: number): Executions {
  const byId = new Map<string, ExecutionRow>();
  const byNo = new Map<number, ExecutionRow>();
  let greatest: number | undefined;
  const nextNo = (): number => {
    // Alone in the transaction, nobody else takes the number.
    greatest ??= (db.statement("SELECT max(exec_no) FROM execution").get() as [number | null])[0] ?? 0;
    greatest++;
    return greatest;
  };
  const keep = (row: ExecutionRow): ExecutionRow => {
    byId.set(row.id, row);
    byNo.set(row.no, row);
    return row;
  };
  return {
    byId: (id) => {
      const known = byId.get(id);
      if (known !== undefined) return known;
      const found = db
        .statement(`SELECT ${COLUMNS} FROM execution WHERE scope_no = ? AND execution_id = ?`)
        .get(scopeNo, id);
      return keep(found === undefined ? newExecution(nextNo(), id) : toExecution(found));
    },
    byNo: (no) => {
      const known = byNo.get(no);
      if (known !== undefined) return known;
      return keep(toExecution(db.statement(`SELECT ${COLUMNS} FROM execution WHERE exec_no = ?`).get(no)));
    },
    all: () => byId.values(),
  };
}

export function compareInstants(a: Instant, b: Instant): number {
  return a[0] - b[0] || a[1] - b[1];
}

function newExecution(no: number, id: string): ExecutionRow {
  return {
    ...{ no, id, isNew: true, deleted: false, seq: 0, storedSeq: 0 },
    ...{ spans: 0, open: 0, errors: 0, nodes: 0, gone: 0, first: undefined, last: undefined },
    ...{ workflowNo: 0, hasRoot: false, hasUsage: false },
    ...noChanges(),
  };
}

type Columns = [
  ...[no: number, id: string, deleted: number, seq: number],
  ...[spans: number, open: number, errors: number, nodes: number, gone: number],
  ...[firstMs: number | null, firstNs: number, lastMs: number | null, lastNs: number],
  ...[workflowNo: number, hasRoot: number, hasUsage: number],
];

function toExecution(found: unknown): ExecutionRow {
  const [no, id, deleted, seq, spans, open, errors, nodes, gone, ...more] = found as Columns;
  const [firstMs, firstNs, lastMs, lastNs, workflowNo, hasRoot, hasUsage] = more;
  return {
    ...{
      no,
      id,
      isNew: false,
      deleted: deleted === 1,
      seq,
      storedSeq: seq,
      spans,
      open,
      errors,
      nodes,
      gone,
    },
    first: firstMs === null ? undefined : [firstMs, firstNs],
    last: lastMs === null ? undefined : [lastMs, lastNs],
    ...{ workflowNo, hasRoot: hasRoot === 1, hasUsage: hasUsage === 1 },
    ...noChanges(),
  };
}

function noChanges(): Pick<
  ExecutionRow,
  "rootsChanged" | "extremesLost" | "nodeDeltas" | "traceDeltas" | "usage"
> {
  return {
    rootsChanged: false,
    extremesLost: false,
    nodeDeltas: new Map(),
    traceDeltas: new Map(),
    usage: new Map(),
  };
}
