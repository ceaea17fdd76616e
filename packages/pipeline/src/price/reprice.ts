import type { SpanRecord } from "@spanloom/model";
import { createPricer, type PricingOptions } from "./price-span.ts";

/**
 * The records as today's prices have them, at the prices of the days they started. Costs that a provider reported stay,
 * unless the host overrides them; a model that nobody knows any more keeps the cost that it has. The revision of each
 * record whose cost changed is one higher, so that a store takes it in place of the old one. Throws `invalid_argument`
 * for a price that cannot be used.
 */
export async function reprice(
  records: readonly SpanRecord[],
  options: PricingOptions = {},
): Promise<{ records: SpanRecord[]; changed: SpanRecord[] }> {
  const pricer = createPricer(options);
  await pricer.ready;
  const changed: SpanRecord[] = [];
  const all = records.map((record) => {
    const priced = pricer.reprice(record);
    if (priced === record) return record;
    const next = { ...priced, revision: record.revision + 1 };
    changed.push(next);
    return next;
  });
  return { records: all, changed };
}
