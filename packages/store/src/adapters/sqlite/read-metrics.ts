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

const COUNTED = `SELECT skeleton, below, CASE WHEN root_rank IS NOT NULL OR has_cache = 1 THEN rest END
  FROM span WHERE exec_no = ? AND seq > 0`;

/** The execution's spans without their payload, but for roots and cache accesses, whose records say more than a skeleton. */
function readCounted(
  db: Connection,
  { no, summary }: Pick<FoundExecution, "no"> & { summary: { executionId: string } },
): { spans: SpanRecord[]; below: Map<string, number> } {
  const { executionId } = summary;
  const id = JSON.stringify(executionId);
  const below = new Map<string, number>();
  const rows = db.statement(COUNTED).all(no) as [string, number, string | null][];
  const spans = rows.map(([skeleton, bits, rest]): SpanRecord => {
    const span: SpanRecord =
      rest === null
        ? { ...parseSkeleton(skeleton), executionId, ...NO_PAYLOAD }
        : (JSON.parse(recordJson(id, skeleton, rest)) as SpanRecord);
    if (bits !== 0) below.set(`${span.traceId}/${span.spanId}`, bits);
    return span;
  });
  return { spans, below };
}

/** What a record must have and a skeleton lacks; no sum looks at it. */
const NO_PAYLOAD = {
  otelKind: "internal",
  attributes: {},
  events: [],
  links: [],
  resource: { attributes: {} },
  instrumentation: { name: "" },
  schemaVersion: SCHEMA_VERSION,
} satisfies Partial<SpanRecord>;
