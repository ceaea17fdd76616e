import type { PackageName } from "../workspace.ts";

/** Which packages the code of a package may use. Tests may use more, through public entries. */
export const mayUse: Record<PackageName, readonly PackageName[]> = {
  model: [],
  pipeline: ["model"],
  metrics: ["model"],
  store: ["model", "metrics"],
  tracer: ["model", "pipeline"],
  server: ["model", "pipeline", "metrics"],
  "react-core": ["model"],
  "react-trace": ["model", "react-core"],
  "react-analytics": ["model", "react-core"],
};

/** The bottom of the graph: everything else stands on it, so it brings next to nothing along. */
export const modelMayImport: readonly string[] = ["valibot"];

/** Entries that run in a browser; `*` is every entry of the package. */
export const browserEntries: Partial<Record<PackageName, readonly string[] | "*">> = {
  model: "*",
  metrics: "*",
  store: ["./http", "./memory", "./port"],
  "react-core": "*",
  "react-trace": "*",
  "react-analytics": "*",
};

/** What no browser bundle may hold: database drivers, price tables, engines. */
export const notForBrowsers: readonly string[] = [
  "@clickhouse/client",
  "@electric-sql/pglite",
  "@hono/node-server",
  "@langchain/core",
  "@langchain/langgraph",
  "@opentelemetry/exporter-trace-otlp-proto",
  "@opentelemetry/sdk-trace",
  "@opentelemetry/sdk-trace-base",
  "@pydantic/genai-prices",
  "better-sqlite3",
  "hono",
  "ioredis",
  "iovalkey",
  "pg",
];

/** Sources that no browser bundle may hold, by their path in the repository. */
export const sourcesNotForBrowsers: RegExp = /^packages\/(pipeline|tracer|server)\/|\/dialects\//;
