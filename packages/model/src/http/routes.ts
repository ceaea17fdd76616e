/** What a request wants to do: `authorize` decides by it. */
export type Action =
  | "executions.list"
  | "executions.read"
  | "trace.read"
  | "span.read"
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
  getRunMetrics: { method: "GET", path: "/runs/:run_id/metrics", action: "run_metrics.read" },
  getConfig: { method: "GET", path: "/config", action: "config.read" },
  getDailyCosts: { method: "GET", path: "/analytics/daily-costs", action: "analytics.read" },
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

/** The path of a route with its parameters filled in and encoded. */
export function routePath<Name extends RouteName>(name: Name, params: RouteParams<Name>): string {
  const values = params as Record<string, string>;
  return ROUTES[name].path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(values[key] ?? ""));
}

/** Content type of live traces: an answer to `getTrace` with this in `Accept` is a stream of `change` events. */
export const EVENT_STREAM = "text/event-stream";
/** RFC 9457. */
export const PROBLEM_JSON = "application/problem+json";
