import type { SpanRecord } from "@spanloom/model";

/** An embedding answers with no tokens, so its input is its total: without that, sums of totals would leave it out. */
export function withEmbeddingTotal(record: SpanRecord): SpanRecord {
  const { kind, usage } = record;
  if (kind !== "embedding" || usage?.input === undefined) return record;
  if (usage.output !== undefined || usage.total !== undefined) return record;
  return { ...record, usage: { ...usage, total: usage.input } };
}
