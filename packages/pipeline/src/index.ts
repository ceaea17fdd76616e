// The stages, composed

// What a dialect's author needs
export type { Dialect, RecordDraft } from "./normalize/dialect.ts";
export { createPipeline, type Pipeline, type PipelineOptions } from "./pipeline.ts";
// What a host may set
export type { PriceOverride, PriceOverrides } from "./price/overrides.ts";
export type { PricingOptions } from "./price/price-span.ts";
export type { RedactionOptions, RedactionPattern } from "./redact/compile-rules.ts";
