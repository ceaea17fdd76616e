export { fromAnyValue, MAX_VALUE_DEPTH, toAnyValue } from "./any-value.ts";
export { type DecodedOtlp, decodeOtlp } from "./decode.ts";
export { type EncodeOtlpOptions, encodeOtlp } from "./encode.ts";
export type {
  OtlpAnyValue,
  OtlpEvent,
  OtlpInt64,
  OtlpKeyValue,
  OtlpLink,
  OtlpResource,
  OtlpResourceSpans,
  OtlpScope,
  OtlpScopeSpans,
  OtlpSpan,
  OtlpStatus,
  OtlpTraces,
} from "./otlp-types.ts";
