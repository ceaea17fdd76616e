export {
  decodeAnalytics,
  decodeChanges,
  decodeConfig,
  decodeDailyCosts,
  decodeExecution,
  decodeExecutionDetail,
  decodeExecutionPage,
  decodeReceipt,
  decodeRunMetrics,
  decodeSpan,
  decodeSpanMatches,
  decodeSpans,
  decodeTracePage,
} from "./decode.ts";
export { decodeProblem, encodeProblem, type Problem, statusOf } from "./problem.ts";
export {
  analyticsParams,
  dailyCostsParams,
  executionIdsParams,
  getTraceParams,
  listExecutionsParams,
  queryString,
  readAnalytics,
  readCount,
  readDailyCosts,
  readExecutionIds,
  readGetTrace,
  readListExecutions,
  readSearchSpans,
  searchSpansParams,
} from "./queries.ts";
export {
  type Action,
  EVENT_STREAM,
  PROBLEM_JSON,
  ROUTES,
  type Route,
  type RouteName,
  type RouteParams,
  routePath,
  STREAM_EVENTS,
} from "./routes.ts";
export type { Codec, FieldCodec, Struct } from "./struct.ts";
export {
  encodeSpans,
  encodeTracePage,
  wireAnalytics,
  wireDailyCosts,
  wireExecution,
  wireExecutionDetail,
  wirePanelConfig,
  wireRunMetrics,
  wireSpanMatches,
  wireTraceChanges,
  wireWriteReceipt,
} from "./wire.ts";
export { wireRawContent, wireSkeleton, wireSpan } from "./wire-span.ts";
