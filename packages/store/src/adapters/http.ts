import {
  type Analytics,
  type AnalyticsQuery,
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionDetail,
  type ExecutionSummary,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type Page,
  type PanelConfig,
  type RunMetrics,
  type ScopedStore,
  type SearchSpansQuery,
  SpanloomError,
  type SpanMatches,
  type SpanRecord,
  type StoreCapabilities,
  type TraceChanges,
  type TracePage,
} from "@spanloom/model";
import {
  analyticsParams,
  dailyCostsParams,
  decodeAnalytics,
  decodeChanges,
  decodeConfig,
  decodeDailyCosts,
  decodeExecutionDetail,
  decodeExecutionPage,
  decodeRunMetrics,
  decodeSpan,
  decodeSpanMatches,
  decodeTracePage,
  executionIdsParams,
  getTraceParams,
  listExecutionsParams,
  queryString,
  type RouteName,
  type RouteParams,
  routePath,
  searchSpansParams,
} from "@spanloom/model/http";
import { checkExecutionIds, checkFilter, checkRecords } from "../check-arguments.ts";
import { createConnection, type HttpConnection } from "../http/connection.ts";
import { followTrace } from "../http/follow-trace.ts";
import { writeOver } from "../http/write-over.ts";

export interface HttpStoreOptions {
  /** Where the server's routes stand, e.g. `/api/spanloom` (below the page's origin) or `https://host/api/spanloom`. */
  baseUrl: string;
  /** Sends a request; the global `fetch` where absent. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Headers of every request, such as authorization; a function is asked before each. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /** How long one answer may take: 30,000 where absent. */
  timeoutMs?: number;
  /** Ends everything under way, waits between tries included; later calls reject with `store_closed`. */
  signal?: AbortSignal;
  /** The name of the scope, for the caller's own use: which one is read is the server's to say. `remote` where absent. */
  scope?: string;
  /** What the server's store can do, where the caller knows it; the least where absent. */
  capabilities?: StoreCapabilities;
}

const LEAST: StoreCapabilities = {
  durability: "memory",
  concurrentWriters: true,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 0,
};

/**
 * A store behind a Spanloom server, for browsers and services. Reads and writes are tried again where the network or a
 * proxy fails, as `Retry-After` says; a write that arrives twice changes nothing. A refused caller gets
 * `unauthenticated` or `not_permitted`, a lost connection `network_failed`, silence `timed_out`. Where the server takes
 * less at once than a write sends, it goes in smaller parts.
 */
export function createHttpStore(options: HttpStoreOptions): HttpStore {
  const connection = createConnection(options);

  /** The answer to a route about one execution; `undefined` where it is not there or the id can be nobody's. */
  async function find<Name extends RouteName, T>(
    name: Name,
    params: RouteParams<Name>,
    query: Record<string, string | undefined>,
    decode: (wire: unknown) => T,
  ): Promise<T | undefined> {
    const path = routePath(name, params);
    return path === undefined ? undefined : connection.find(`${path}${queryString(query)}`, decode);
  }

  function getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  function getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  function getTrace(executionId: string, query: GetTraceQuery = {}): Promise<TracePage | undefined> {
    const { view = "skeleton" } = query;
    return find("getTrace", { execution_id: executionId }, getTraceParams(query), (wire) =>
      decodeTracePage(wire, view),
    );
  }

  return {
    scope: options.scope ?? "remote",
    capabilities: options.capabilities ?? LEAST,
    getTrace,
    async write(spans) {
      checkRecords(spans);
      return writeOver(connection, spans);
    },
    listExecutions: (query: ListExecutionsQuery = {}): Promise<Page<ExecutionSummary>> =>
      connection.get(`/executions${queryString(listExecutionsParams(query))}`, decodeExecutionPage),
    getExecutions: (executionIds) => getExecutions(connection, executionIds),
    getExecution: (executionId): Promise<ExecutionDetail | undefined> =>
      find("getExecution", { execution_id: executionId }, {}, decodeExecutionDetail),
    getSpan: (executionId, spanId, traceId): Promise<SpanRecord | undefined> =>
      find("getSpan", { execution_id: executionId, span_id: spanId }, { trace_id: traceId }, decodeSpan),
    changesSince: (executionId, seq, { limit } = {}): Promise<TraceChanges | undefined> =>
      find(
        "getTrace",
        { execution_id: executionId },
        { since_seq: String(seq), limit: limit?.toString() },
        decodeChanges,
      ),
    async searchSpans(executionId, query: SearchSpansQuery): Promise<SpanMatches | undefined> {
      checkFilter(query.text, "text");
      return find("searchSpans", { execution_id: executionId }, searchSpansParams(query), decodeSpanMatches);
    },
    getRunMetrics: (executionId): Promise<RunMetrics | undefined> =>
      find("getRunMetrics", { run_id: executionId }, {}, decodeRunMetrics),
    getDailyCosts: (query: DailyCostsQuery): Promise<DailyCosts> =>
      connection.get(`/analytics/daily-costs${queryString(dailyCostsParams(query))}`, decodeDailyCosts),
    getAnalytics: (query: AnalyticsQuery): Promise<Analytics> =>
      connection.get(`/analytics/summary${queryString(analyticsParams(query))}`, decodeAnalytics),
    getConfig: (): Promise<PanelConfig> => connection.get("/config", decodeConfig),
    follow: (executionId, seq, signal) => followTrace(connection, executionId, seq, signal),
    deleteExecution: () => Promise.reject(refused("Executions cannot be deleted")),
    prune: () => Promise.reject(refused("Old executions cannot be removed")),
    redact: () => Promise.reject(refused("Stored spans cannot be redacted")),
    recompute: () => Promise.reject(refused("Sums cannot be rebuilt")),
  };
}

/** What {@link createHttpStore} gives: the reads that only a server has are always there. */
export interface HttpStore extends ScopedStore {
  follow: NonNullable<ScopedStore["follow"]>;
  getConfig: NonNullable<ScopedStore["getConfig"]>;
}

/** URLs stay short enough for every server and proxy. */
const IDS_LENGTH = 4_000;

async function getExecutions(
  connection: HttpConnection,
  executionIds: readonly string[],
): Promise<ExecutionSummary[]> {
  const groups: string[][] = [];
  let size = IDS_LENGTH;
  for (const id of checkExecutionIds(executionIds)) {
    if (routePath("getExecution", { execution_id: id }) === undefined) continue;
    const length = encodeURIComponent(id).length + "ids=&".length;
    if (size + length > IDS_LENGTH) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(id);
    size += length;
  }
  const pages = await Promise.all(
    groups.map((ids) => connection.get(`/executions${executionIdsParams(ids)}`, decodeExecutionPage)),
  );
  return pages.flatMap((page) => page.items);
}

function refused(what: string): SpanloomError {
  return new SpanloomError("not_supported", {
    what: `${what} over HTTP.`,
    why: "The server has no such route.",
    fix: "Call it on the store that the server was made with.",
  });
}
