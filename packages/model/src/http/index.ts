export {
  decodeChanges,
  decodeConfig,
  decodeDailyCosts,
  decodeExecution,
  decodeExecutionDetail,
  decodeExecutionPage,
  decodeReceipt,
  decodeRunMetrics,
  decodeSpan,
  decodeSpans,
  decodeTracePage,
} from "./decode.ts";
export { decodeProblem, encodeProblem, type Problem, statusOf } from "./problem.ts";
export {
  dailyCostsParams,
  executionIdsParams,
  getTraceParams,
  listExecutionsParams,
  queryString,
  readCount,
  readDailyCosts,
  readExecutionIds,
  readGetTrace,
  readListExecutions,
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
  wireDailyCosts,
  wireExecution,
  wireExecutionDetail,
  wirePanelConfig,
  wireRunMetrics,
  wireTraceChanges,
  wireWriteReceipt,
} from "./wire.ts";
export { wireRawContent, wireSkeleton, wireSpan } from "./wire-span.ts";
