// What exact sums cost when spans are written to PostgreSQL, against plain upserts of the same rows, and how long reads take.
import { readdirSync, readFileSync } from "node:fs";
import { parentOf, phaseOf, type SpanRecord, toSkeleton } from "@spanloom/model";
import { createPostgresStore } from "@spanloom/store/postgres";
import pg from "pg";
import {
  startTestServer,
  type TestServer,
} from "../packages/store/src/adapters/postgres/test-server.test-support.ts";
import { against, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { execution, shortExecution } from "./store-sample.ts";

const BATCH = 500;
const ROUNDS = 7;
const SPANS = 10_000;

export default async function bench(): Promise<BenchResult> {
  const server = await startTestServer([]);
  try {
    const result: BenchResult = { cases: [], budgets: [] };
    await ingest(server, result, 20, 0.6);
    await ingest(server, result, 1000, 0.7);
    await reads(server, result);
    await dailyCosts(server, result);
    return result;
  } finally {
    await server.stop();
  }
}

/** Writes the same records with exact sums, and as plain rows through one statement a batch, on the same server. */
async function ingest(
  server: TestServer,
  { cases, budgets }: BenchResult,
  size: number,
  least: number,
): Promise<void> {
  const raw: number[] = [];
  const exact: number[] = [];
  for (let round = 0; round < ROUNDS + 1; round++) {
    const records = Array.from({ length: SPANS / size }, (_, index) => execution(index, size)).flat();
    const spent = [await writeRaw(server, records), await writeExact(server, records)] as const;
    if (round === 0) continue;
    raw.push(spent[0]);
    exact.push(spent[1]);
  }
  const base = summarize(`raw upserts, executions of ${size}`, "us/span", raw);
  const measured = against(summarize(`exact sums, executions of ${size}`, "us/span", exact), base);
  cases.push(base, measured);
  const ratio = base.median / measured.median;
  budgets.push({
    what: `ingest with exact sums against raw upserts, executions of ${size}`,
    limit: `>= ${least}x`,
    value: `${ratio.toFixed(2)}x`,
    ok: ratio >= least,
  });
}

async function writeRaw(server: TestServer, records: readonly SpanRecord[]): Promise<number> {
  const client = new pg.Client({ connectionString: await server.createDatabase() });
  await client.connect();
  const names = RAW_COLUMNS.map(([name]) => name);
  await client.query(
    `CREATE TABLE span (${RAW_COLUMNS.map((column) => column.join(" ")).join(", ")}, PRIMARY KEY (trace_id, span_id))`,
  );
  const text = `INSERT INTO span SELECT * FROM unnest(${RAW_COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ")})
    ON CONFLICT (trace_id, span_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}
    WHERE excluded.phase > span.phase OR (excluded.phase = span.phase AND excluded.revision > span.revision)`;
  const spent = await cpuMicros(server, async () => {
    for (const batch of batches(records)) {
      const columns: (string | number | null)[][] = RAW_COLUMNS.map(() => []);
      for (const span of batch)
        for (const [index, value] of rawRow(span).entries()) columns[index]?.push(value);
      await client.query({ name: "raw", text, values: columns });
    }
  });
  await client.end();
  return spent / records.length;
}

/** The same that the store keeps of a span, but for what counting needs. */
const RAW_COLUMNS: readonly [name: string, type: string][] = [
  ...([
    ["trace_id", "uuid"],
    ["span_id", "text"],
    ["parent_id", "text"],
    ["execution_id", "text"],
  ] as [string, string][]),
  ...([
    ["node_id", "text"],
    ["name", "text"],
    ["kind", "text"],
    ["phase", "int"],
    ["revision", "int"],
  ] as [string, string][]),
  ...([
    ["start_time", "bigint"],
    ["end_time", "bigint"],
    ["status", "text"],
    ["model", "text"],
  ] as [string, string][]),
  ...([
    ["input", "bigint"],
    ["output", "bigint"],
    ["cost", "bigint"],
    ["skeleton", "json"],
    ["rest", "jsonb"],
  ] as [string, string][]),
];

function rawRow(span: SpanRecord): (string | number | null)[] {
  const { usage, cost } = span;
  const skeleton = toSkeleton(span);
  const rest: Partial<SpanRecord> = { ...span };
  for (const key of Object.keys(skeleton) as (keyof typeof skeleton)[]) rest[key] = undefined;
  return [
    ...[span.traceId, span.spanId, parentOf(span) ?? null, span.executionId, span.nodeId ?? null],
    ...[span.name, span.kind, phaseOf(span), span.revision, span.startTime, span.endTime ?? null],
    ...[
      span.status.code,
      span.model ?? null,
      usage?.input ?? null,
      usage?.output ?? null,
      cost?.nanoUsd ?? null,
    ],
    ...[JSON.stringify(skeleton), JSON.stringify(rest)],
  ];
}

async function writeExact(server: TestServer, records: readonly SpanRecord[]): Promise<number> {
  const store = createPostgresStore({ connectionString: await server.createDatabase(), retention: false });
  const scope = store.forScope("bench");
  await scope.listExecutions();
  const spent = await cpuMicros(server, async () => {
    for (const batch of batches(records)) await scope.write(batch);
  });
  await store.close();
  return spent / records.length;
}

/** A trace of 500 spans. */
async function reads(server: TestServer, { cases }: BenchResult): Promise<void> {
  const store = createPostgresStore({ connectionString: await server.createDatabase(), retention: false });
  const scope = store.forScope("bench");
  await scope.write(execution(1, BATCH));
  const read = (name: string, work: () => Promise<unknown>): Promise<BenchCase> =>
    timed(`${name}, ${BATCH} spans`, work);
  cases.push(
    await read("full trace", () => scope.getTrace("execution-1", { view: "full" })),
    await read("skeletons", () => scope.getTrace("execution-1")),
    await read("run metrics", () => scope.getRunMetrics("execution-1")),
    await read("search", () => scope.searchSpans("execution-1", { text: "lazy dog" })),
  );
  await store.close();
}

/** A month's costs, at two sizes of the store. */
async function dailyCosts(server: TestServer, { cases, budgets }: BenchResult): Promise<void> {
  const store = createPostgresStore({ connectionString: await server.createDatabase(), retention: false });
  const scope = store.forScope("bench");
  const slowest: number[] = [];
  let written = 0;
  for (const size of [2_000, 20_000]) {
    while (written < size) {
      const records: SpanRecord[] = [];
      for (let index = 0; index < 500; index++) records.push(...shortExecution(written++));
      await scope.write(records);
    }
    const medians: number[] = [];
    const window = { days: 30, timeZone: "America/New_York", lastDay: "2026-11-18" };
    const at = `${size.toLocaleString("en")} executions`;
    for (const groupBy of [undefined, "workflow", "model"] as const) {
      const by = groupBy === undefined ? "in total" : `by ${groupBy}`;
      const query = { ...window, ...(groupBy && { groupBy }) };
      const measured = await timed(`costs of 30 days ${by}, ${at}`, () => scope.getDailyCosts(query));
      cases.push(measured);
      medians.push(measured.median);
    }
    cases.push(
      await timed(`analytics of 30 days by day, ${at}`, () =>
        scope.getAnalytics({ ...window, groupBy: "day" }),
      ),
      await timed(`50 dearest of ${at}`, () =>
        scope.listExecutions({ sort: { by: "cost", direction: "desc" } }),
      ),
    );
    slowest.push(Math.max(...medians));
  }
  await store.close();
  const [small = Number.NaN, large = Number.NaN] = slowest;
  budgets.push({
    what: "30-day cost query, slowest grouping, 20,000 executions against 2,000",
    limit: "<= 2x",
    value: `${(large / small).toFixed(2)}x`,
    ok: large / small <= 2,
  });
}

async function timed(name: string, work: () => Promise<unknown>, warmUp = 10): Promise<BenchCase> {
  const rounds: number[] = [];
  for (let round = 0; round < warmUp + 15; round++) {
    const started = performance.now();
    await work();
    if (round >= warmUp) rounds.push(performance.now() - started);
  }
  return summarize(name, "ms", rounds);
}

/** CPU time of this process and of the server: neighbours on the machine do not count. Elapsed time where the system does not tell. */
async function cpuMicros(server: TestServer, work: () => Promise<void>): Promise<number> {
  const own = process.cpuUsage();
  const theirs = serverMicros(server.pid);
  const started = performance.now();
  await work();
  const elapsed = (performance.now() - started) * 1000;
  const after = serverMicros(server.pid);
  if (theirs === undefined || after === undefined) return elapsed;
  const { user, system } = process.cpuUsage(own);
  return user + system + after - theirs;
}

/** User and system time of the processes that serve connections. Source: proc(5), with the 100 ticks a second of Linux. */
function serverMicros(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  let ticks = 0;
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
      const serves = parent === pid && readFileSync(`/proc/${entry}/cmdline`, "utf8").includes("127.0.0.1");
      if (serves) ticks += (user ?? 0) + (system ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks * 10_000;
}

function* batches(records: readonly SpanRecord[]): Generator<readonly SpanRecord[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
