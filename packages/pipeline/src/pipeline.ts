import type { SpanRecord } from "@spanloom/model";
import type { Dialect } from "./normalize/dialect.ts";
import { createNormalizer } from "./normalize/registry.ts";
import { createPricer, type PricingOptions } from "./price/price-span.ts";
import { compileRules } from "./redact/compile-rules.ts";
import type { RedactionOptions } from "./redact/options.ts";
import { createRedactor } from "./redact/redact-span.ts";

export interface PipelineOptions {
  /** What else is secret, beside the built-in rules. `false` keeps every secret: only for data that is already clean. */
  redaction?: RedactionOptions | false;
  /** Prices of the host's own, beside the built-in table. `false` keeps reported costs only. */
  pricing?: PricingOptions | false;
  /** Tried before the built-in dialects, in this order. */
  dialects?: readonly Dialect[];
}

/** What every span passes before a queue, file, store or exporter sees it. */
export interface Pipeline {
  /**
   * Normalises, redacts and prices a copy of the record. Synchronous, idempotent, never throws: what cannot be cleaned
   * is withheld, and the span says so. Parts that need no change are shared with the input, so hand over a snapshot; a
   * `resource` or `instrumentation` object that was clean once is not read again. Tokens are those of `scope`, by default
   * `default`: hand the one over that the record is stored under.
   */
  clean(record: SpanRecord, context?: { scope?: string }): SpanRecord;
  /** Only the price stage, for a record that was cleaned before the prices were there. Idempotent, never throws. */
  price(record: SpanRecord): SpanRecord;
  /** Resolves when the price table has been loaded or has failed to. Reading it starts the load, as does the first span that needs it. */
  readonly ready: Promise<void>;
  /** True once every span that has a known price gets it at once. */
  readonly priced: boolean;
}

/** Composes the stages. Throws `invalid_argument` when a rule or a price of the host is not usable. */
export function createPipeline(options: PipelineOptions = {}): Pipeline {
  const normalize = createNormalizer(options.dialects);
  const redact = options.redaction === false ? undefined : createRedactor(compileRules(options.redaction));
  const pricer = options.pricing === false ? undefined : createPricer(options.pricing);
  const settled = Promise.resolve();
  const price = (record: SpanRecord): SpanRecord => pricer?.price(record) ?? record;

  return {
    clean: (record, context) => {
      const normalized = normalize(record);
      return price(redact === undefined ? normalized : redact(normalized, context?.scope));
    },
    price,
    get ready() {
      return pricer?.ready ?? settled;
    },
    get priced() {
      return pricer?.loaded ?? true;
    },
  };
}
