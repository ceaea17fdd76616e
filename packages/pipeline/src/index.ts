// The stages, composed

// What a host with a meter may record
export { createGenAiMetrics, type HistogramMeter } from "./genai-metrics.ts";
// What a dialect's author needs
export type { Dialect, RecordDraft } from "./normalize/dialect.ts";
export { readMessages } from "./normalize/messages.ts";
export { createPipeline, type Pipeline, type PipelineOptions } from "./pipeline.ts";
// What a host may set
export type { PriceOverride, PriceOverrides } from "./price/overrides.ts";
export type { PricingOptions } from "./price/price-span.ts";
export { reprice } from "./price/reprice.ts";
export type { CaptureLevel, CapturePolicy, FieldCapture } from "./redact/capture-policy.ts";
export { cleanCause } from "./redact/clean-cause.ts";
export type { RedactionFunction, RedactionPattern, RedactionPlace } from "./redact/host-rules.ts";
export type { RedactionLimits, RedactionOptions } from "./redact/options.ts";
export type { PersonalDataOptions, PersonalDataRule } from "./redact/personal-data.ts";
export { redactionTokens, type TokenKey, type TokenOptions } from "./redact/tokens.ts";
