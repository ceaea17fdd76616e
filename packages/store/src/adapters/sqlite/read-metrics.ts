import { computeRunMetrics, summarizeExecution } from "@spanloom/metrics";
import { type ExecutionDetail, type RunMetrics, SCHEMA_VERSION, type SpanRecord } from "@spanloom/model";
import { parseSkeleton, recordJson } from "../../sql/row-codec.ts";
import type { Connection } from "./connection.ts";
import { type FoundExecution, findExecution } from "./read-summaries.ts";

/** The reference's own answers, from skeletons and from what the rows know of descendants. */
export function readDetail(
  db: Connection,
  scopeNo: number | undefined,
  executionId: string,
): ExecutionDetail | undefined {
  const found = findExecution(db, scopeNo, executionId);
  if (found === undefined || found.hidden) return undefined;
  const { spans, below } = readCounted(db, found);
  return summarizeExecution(executionId, spans, found.summary.seq, below);
}

export function readRunMetrics(
  db: Connection,
  scopeNo: number | undefined,
  executionId: string,
): RunMetrics | undefined {
  const found = findExecution(db, scopeNo, executionId);
  if (found === undefined || found.hidden) return undefined;
  const { spans, below } = readCounted(db, found);
  return computeRunMetrics(executionId, spans, found.summary.seq, below);
}

const COUNTED = `SELECT skeleton, below, CASE WHEN root_rank IS NOT NULL OR has_cache = 1 THEN rowid END
  FROM span WHERE exec_no = ? AND seq > 0`;

/** The execution's spans without their payload, but for roots and cache accesses, whose records say more than a skeleton. */
function readCounted(
  db: Connection,
  { no, summary }: Pick<FoundExecution, "no"> & { summary: { executionId: string } },
): { spans: SpanRecord[]; below: Map<string, number> } {
  const { executionId } = summary;
  const id = JSON.stringify(executionId);
  const below = new Map<string, number>();
  // One at a time: together their contents may be larger than memory.
  const one = db.statement("SELECT rest FROM span WHERE rowid = ?");
  const rows = db.statement(COUNTED).all(no) as [string, number, number | null][];
  const spans = rows.map(([skeleton, bits, row]): SpanRecord => {
    const span: SpanRecord =
      row === null
        ? { ...parseSkeleton(skeleton), executionId, ...NO_PAYLOAD }
        : withoutContent(JSON.parse(recordJson(id, skeleton, (one.get(row) as [string])[0])) as SpanRecord);
    if (bits !== 0) below.set(`${span.traceId}/${span.spanId}`, bits);
    return span;
  });
  return { spans, below };
}

/** No sum looks at what makes a record large. */
function withoutContent({ input, output, stateBefore, stateAfter, ...span }: SpanRecord): SpanRecord {
  return { ...span, attributes: {}, events: [], links: [] };
}

/** What a record must have and a skeleton lacks; no sum looks at it. */
export const NO_PAYLOAD: Pick<
  SpanRecord,
  "otelKind" | "attributes" | "events" | "links" | "resource" | "instrumentation" | "schemaVersion"
> = {
  otelKind: "internal",
  attributes: {},
  events: [],
  links: [],
  resource: { attributes: {} },
  instrumentation: { name: "" },
  schemaVersion: SCHEMA_VERSION,
};
