/** What a request wants to do: `authorize` decides by it. */
export type Action =
  | "executions.list"
  | "executions.read"
  | "trace.read"
  | "trace.search"
  | "span.read"
  | "raw_content.read"
  | "run_metrics.read"
  | "config.read"
  | "analytics.read"
  | "spans.write";

export interface Route {
  method: "GET" | "POST";
  /** Path below the base, parameters as `:name`. */
  path: string;
  action: Action;
}

/** Every route, once, for the server that answers it and the client that asks. */
export const ROUTES = {
  listExecutions: { method: "GET", path: "/executions", action: "executions.list" },
  getExecution: { method: "GET", path: "/executions/:execution_id", action: "executions.read" },
  getTrace: { method: "GET", path: "/executions/:execution_id/trace", action: "trace.read" },
  getSpan: { method: "GET", path: "/executions/:execution_id/spans/:span_id", action: "span.read" },
  searchSpans: { method: "GET", path: "/executions/:execution_id/search", action: "trace.search" },
  getRawContent: {
    method: "GET",
    path: "/executions/:execution_id/spans/:span_id/raw",
    action: "raw_content.read",
  },
  getRunMetrics: { method: "GET", path: "/runs/:run_id/metrics", action: "run_metrics.read" },
  getConfig: { method: "GET", path: "/config", action: "config.read" },
  getDailyCosts: { method: "GET", path: "/analytics/daily-costs", action: "analytics.read" },
  getAnalytics: { method: "GET", path: "/analytics/summary", action: "analytics.read" },
  writeSpans: { method: "POST", path: "/spans", action: "spans.write" },
} as const;

export type RouteName = keyof typeof ROUTES;

type ParamsOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamsOf<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** Path parameters of a route, by name. */
export type RouteParams<Name extends RouteName> = Record<ParamsOf<(typeof ROUTES)[Name]["path"]>, string>;

/**
 * The path of a route with its parameters filled in and encoded. `undefined` where a value can stand in no path: empty,
 * `.` and `..` (URLs drop them), or text that is not well-formed. No id is like that.
 */
export function routePath<Name extends RouteName>(name: Name, params: RouteParams<Name>): string | undefined {
  const values = params as Record<string, string>;
  let usable = true;
  const path = ROUTES[name].path.replace(/:(\w+)/g, (_, key: string) => {
    const value = values[key] ?? "";
    usable &&= value !== "" && value !== "." && value !== ".." && !/\p{Surrogate}/u.test(value);
    return usable ? encodeURIComponent(value) : "";
  });
  return usable ? path : undefined;
}

/** Content type of live traces: an answer to `getTrace` with this in `Accept` is a stream of {@link STREAM_EVENTS}. */
export const EVENT_STREAM = "text/event-stream";

/**
 * The events of a live trace. All but `end` carry a `TraceChanges` and, as `id`, the `seq` to resume from.
 * `snapshot` starts from nothing: what the reader had before no longer counts. `end` says that no more will come.
 */
export const STREAM_EVENTS = { snapshot: "snapshot", changes: "changes", end: "end" } as const;

/** RFC 9457. */
export const PROBLEM_JSON = "application/problem+json";
