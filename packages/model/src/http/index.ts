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
  decodeTracePage,
} from "./decode.ts";
export { decodeProblem, encodeProblem, type Problem, statusOf } from "./problem.ts";
export {
  dailyCostsParams,
  getTraceParams,
  listExecutionsParams,
  queryString,
  readCount,
  readDailyCosts,
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
} from "./routes.ts";
export type { Codec, FieldCodec, Struct } from "./struct.ts";
export {
  encodeTracePage,
  wireDailyCosts,
  wireExecution,
  wireExecutionDetail,
  wirePanelConfig,
  wireRunMetrics,
  wireSkeleton,
  wireSpan,
  wireTraceChanges,
  wireWriteReceipt,
} from "./wire.ts";
