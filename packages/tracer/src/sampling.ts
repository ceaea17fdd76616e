import type { Content, SpanRecord } from "@spanloom/model";
import type { ExecutionFacts } from "./facts.ts";
import type { LiveSpan } from "./otel/store-span-processor.ts";

export interface SamplingOptions {
  /** The share of completed executions that keep their detail, from 0 to 1. */
  keepDetail: number;
}

/** Spans of one execution beyond this many keep their detail: what is remembered of them until its end is bounded. */
const MAX_SPANS = 50_000;

interface Ended {
  record: SpanRecord;
  waiting: LiveSpan["waiting"];
}

/**
 * Takes detail away from completed executions when they end: content, attributes and events. Every span stays, with its
 * times, status, usage and cost, so that summaries and sums are the same with and without sampling. Executions that
 * failed, were cancelled or wait keep everything, and so does a span that failed. The choice follows from the trace id.
 */
export class DetailSampler {
  readonly #keep: number;
  readonly #put: (record: SpanRecord, before: LiveSpan["waiting"]) => unknown;
  readonly #ended = new WeakMap<ExecutionFacts["root"], Map<string, Ended>>();

  constructor(
    { keepDetail }: SamplingOptions,
    put: (record: SpanRecord, before: LiveSpan["waiting"]) => unknown,
  ) {
    this.#keep = keepDetail;
    this.#put = put;
  }

  /** A span ended, or an ended one has news. */
  note(record: SpanRecord, live: LiveSpan, { root }: ExecutionFacts): void {
    if (Number.parseInt(record.traceId.slice(0, 8), 16) / 2 ** 32 < this.#keep) return;
    let ended = this.#ended.get(root);
    if (ended === undefined) {
      ended = new Map();
      this.#ended.set(root, ended);
    }
    if (record.status.code === "error" || ended.size >= MAX_SPANS) return;
    ended.set(record.spanId, { record: withoutDetail(record), waiting: live.waiting });
  }

  /** The execution's root ended. */
  finish({ executionStatus }: SpanRecord, { root }: ExecutionFacts): void {
    const ended = this.#ended.get(root);
    this.#ended.delete(root);
    if (executionStatus !== "completed" || ended === undefined) return;
    for (const { record, waiting } of ended.values()) this.#put(record, waiting);
  }
}

/** A higher revision of the same end, so that it wins wherever both arrive. */
function withoutDetail(record: SpanRecord): SpanRecord {
  const { input, output, stateBefore, stateAfter, ...rest } = record;
  const attributes = Object.keys(record.attributes).length + (record.dropped?.attributes ?? 0);
  const events = record.events.length + (record.dropped?.events ?? 0);
  const bare: SpanRecord = { ...rest, attributes: {}, events: [], revision: record.revision + 1 };
  if (attributes > 0 || events > 0)
    bare.dropped = {
      ...record.dropped,
      ...(attributes > 0 && { attributes }),
      ...(events > 0 && { events }),
    };
  const contents = { input, output, stateBefore, stateAfter };
  for (const field of ["input", "output", "stateBefore", "stateAfter"] as const) {
    const content = contents[field];
    if (content !== undefined) bare[field] = withheld(content);
  }
  return bare;
}

function withheld({ format, hash, length }: Content): Content {
  return {
    format,
    state: "not_captured",
    reason: "sampling",
    ...(hash !== undefined && { hash }),
    ...(length !== undefined && { length }),
  };
}
