import { mergeSpan, type SpanRecord, type SpanSink, spanKey } from "@spanloom/model";

export interface CollectingSink extends SpanSink {
  /** Every record in the order of arrival. */
  readonly writes: SpanRecord[];
  /** What a store would hold. */
  spans(): SpanRecord[];
  span(name: string): SpanRecord;
}

/** A sink that keeps what it gets, as a store would. */
export function collectingSink(): CollectingSink {
  const writes: SpanRecord[] = [];
  const spans = (): SpanRecord[] => {
    const kept = new Map<string, SpanRecord>();
    for (const record of writes) {
      const known = kept.get(spanKey(record));
      kept.set(spanKey(record), known === undefined ? record : mergeSpan(known, record));
    }
    return [...kept.values()];
  };
  return {
    writes,
    spans,
    span(name) {
      const found = spans().find((span) => span.name === name);
      if (found === undefined) throw new Error(`No span is called ${name}.`);
      return found;
    },
    async write(batch) {
      writes.push(...structuredClone(batch));
      return { written: batch.length, unchanged: 0, rejected: [] };
    },
  };
}
