import {
  canonicalJson,
  compareRecords,
  type RejectedSpan,
  type SpanRecord,
  type SpanSink,
  spanKey,
  type TraceReader,
} from "@spanloom/model";
import { sha256 } from "../sha256.ts";
import type { MigrationProblem, SpanIds } from "./migration-report.ts";

export interface CopiedExecution {
  /** The source's commit that was copied. */
  seq: number;
  spans: number;
  /** SHA-256 over the hashes of all records, in their order. */
  checksum: string;
  problems: FoundProblem[];
}

export type FoundProblem = Omit<MigrationProblem, "scope" | "executionId">;

/** A record's place and the SHA-256 of its canonical JSON: all that is kept of an execution while it is copied. */
type Hashes = Map<string, string>;

/**
 * Copies an execution page by page and reads it back. `undefined` where the source has none of that id (any more).
 */
export async function copyExecution(
  from: TraceReader,
  to: SpanSink & TraceReader,
  executionId: string,
): Promise<CopiedExecution | undefined> {
  const hashes: Hashes = new Map();
  const rejected = new Finding("rejected");
  const lost = new Finding("payload_missing");
  let seq: number | undefined;
  for await (const { spans, asOfSeq } of fullPages(from, executionId)) {
    seq = asOfSeq;
    await addHashes(hashes, spans);
    for (const span of spans) if (lostPayload(span)) lost.add(span);
    const receipt = await to.write(spans);
    for (const one of receipt.rejected) rejected.add(spans[one.index], one);
  }
  if (seq === undefined) return undefined;
  const copied = { seq, spans: hashes.size, checksum: await checksumOf(hashes) };
  const found = await compare(from, to, executionId, hashes, rejected.keys);
  return { ...copied, problems: [rejected, lost, ...found].flatMap((finding) => finding.problem() ?? []) };
}

/** Reads the destination back. Nothing is left in `hashes` but what is not there. */
async function compare(
  from: TraceReader,
  to: TraceReader,
  executionId: string,
  hashes: Hashes,
  rejected: ReadonlySet<string>,
): Promise<Finding[]> {
  const more = new Finding("more");
  const differs = new Finding("differs");
  const newer = new Finding("newer");
  const absent = new Finding("absent");
  for await (const { spans } of fullPages(to, executionId)) {
    const there: Hashes = new Map();
    await addHashes(there, spans);
    for (const span of spans) {
      const key = spanKey(span);
      const expected = hashes.get(key);
      hashes.delete(key);
      if (expected === undefined) more.add(span);
      else if (expected !== there.get(key)) {
        const now = await from.getSpan(executionId, span.spanId, span.traceId);
        if (now !== undefined && compareRecords(span, now) > 0) newer.add(span);
        else differs.add(span);
      }
    }
  }
  for (const key of hashes.keys()) {
    const [traceId = "", spanId = ""] = key.split("/");
    if (!rejected.has(key)) absent.add({ traceId, spanId });
  }
  return [more, differs, newer, absent];
}

async function* fullPages(
  store: TraceReader,
  executionId: string,
): AsyncGenerator<{ spans: SpanRecord[]; asOfSeq: number }, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await store.getTrace(executionId, { view: "full", ...(cursor !== undefined && { cursor }) });
    if (page === undefined) return;
    yield page;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

const encoder = new TextEncoder();

async function addHashes(hashes: Hashes, spans: readonly SpanRecord[]): Promise<void> {
  await Promise.all(
    spans.map(async (span) => hashes.set(spanKey(span), await sha256(encoder.encode(canonicalJson(span))))),
  );
}

async function checksumOf(hashes: Hashes): Promise<string> {
  return sha256(encoder.encode([...hashes.values()].sort().join()));
}

function lostPayload({ input, output, stateBefore, stateAfter }: SpanRecord): boolean {
  return [input, output, stateBefore, stateAfter].some((content) => content?.state === "missing");
}

const MOST_NAMED = 10;

/** Spans of one kind of problem: counted, and the first of them named. */
class Finding {
  readonly keys: Set<string> = new Set();
  private readonly kind: MigrationProblem["kind"];
  private readonly spans: SpanIds[] = [];
  private rejection: MigrationProblem["rejection"];

  constructor(kind: MigrationProblem["kind"]) {
    this.kind = kind;
  }

  add(span: SpanIds | undefined, rejection?: RejectedSpan): void {
    if (span === undefined) return;
    const { traceId, spanId } = span;
    this.keys.add(spanKey(span));
    if (this.spans.length < MOST_NAMED) this.spans.push({ traceId, spanId });
    this.rejection ??= rejection && { code: rejection.code, message: rejection.message };
  }

  problem(): FoundProblem | undefined {
    const { kind, spans, keys, rejection } = this;
    if (keys.size === 0) return undefined;
    return { kind, count: keys.size, spans, ...(rejection !== undefined && { rejection }) };
  }
}
