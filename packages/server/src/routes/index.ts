import type { RouteName } from "@spanloom/model/http";
import type { RouteHandler } from "../call.ts";
import { getAnalytics } from "./get-analytics.ts";
import { getConfig } from "./get-config.ts";
import { getDailyCosts } from "./get-daily-costs.ts";
import { getExecution } from "./get-execution.ts";
import { getRawContent } from "./get-raw-content.ts";
import { getRunMetrics } from "./get-run-metrics.ts";
import { getSpan } from "./get-span.ts";
import { getTrace } from "./get-trace.ts";
import { listExecutions } from "./list-executions.ts";
import { searchSpans } from "./search-spans.ts";
import { writeSpans } from "./write-spans.ts";

/** The handler of each route of the table; a route without one does not compile. */
export const routeHandlers: Record<RouteName, RouteHandler> = {
  listExecutions,
  getExecution,
  getTrace,
  getSpan,
  searchSpans,
  getRawContent,
  getRunMetrics,
  getConfig,
  getDailyCosts,
  getAnalytics,
  writeSpans,
};
