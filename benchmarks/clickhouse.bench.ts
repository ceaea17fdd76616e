// What exact sums cost when spans are written to ClickHouse, against plain inserts of the same rows, and how long reads take.
import { readFileSync } from "node:fs";
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import { parentOf, phaseOf, type SpanRecord, toSkeleton } from "@spanloom/model";
import { clickhouseSchema, createClickHouseStore } from "@spanloom/store/clickhouse";
import {
  type RunningClickHouse,
  startClickHouse,
} from "../packages/store/src/adapters/clickhouse/test-server.test-support.ts";
import { encodeRecord } from "../packages/store/src/sql/row-codec.ts";
import { against, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { execution, shortExecution } from "./store-sample.ts";

/** Few and large: each insert makes a part that ClickHouse has to merge. */
const BATCH = 5_000;
const ROUNDS = 5;
/** A process that keeps traces runs for days: the rounds in which its code is compiled are not its cost. */
const WARM_UP = 2;
const SPANS = 20_000;

let databases = 0;

export default async function bench(): Promise<BenchResult> {
  const server = await startClickHouse();
  if ("missing" in server) throw new Error(server.missing);
  const client = createClient({ url: server.url });
  try {
    const result: BenchResult = { cases: [], budgets: [] };
    await ingest(server, client, result, 20);
    await ingest(server, client, result, 1000);
    await reads(client, result);
    await manyExecutions(client, result);
    return result;
  } finally {
    await client.close();
    await server.stop();
  }
}

async function ingest(
  server: RunningClickHouse,
  client: ClickHouseClient,
  { cases, budgets }: BenchResult,
  size: number,
): Promise<void> {
  const raw: number[] = [];
  const lean: number[] = [];
  const exact: number[] = [];
  const bytes = { raw: 0, exact: 0 };
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const records = Array.from({ length: SPANS / size }, (_, index) => execution(index, size)).flat();
    const plain = await writeRaw(server, client, records, RAW);
    const least = await writeRaw(server, client, records, LEAN);
    const counted = await writeExact(server, client, records);
    if (round < WARM_UP) continue;
    raw.push(plain.micros);
    lean.push(least.micros);
    exact.push(counted.micros);
    bytes.raw = plain.bytes;
    bytes.exact = counted.bytes;
  }
  const base = summarize(`raw inserts, executions of ${size}`, "us/span", raw);
  const measured = against(summarize(`exact sums, executions of ${size}`, "us/span", exact), base);
  const leanest = summarize(`raw inserts of the store's own rows, executions of ${size}`, "us/span", lean);
  cases.push(
    base,
    against(leanest, measured),
    measured,
    summarize(`disk of raw inserts, executions of ${size}`, "bytes/span", [bytes.raw]),
    summarize(`disk of the store, executions of ${size}`, "bytes/span", [bytes.exact]),
  );
  const ratio = base.median / measured.median;
  budgets.push({
    what: `ingest with exact sums against raw inserts, executions of ${size}`,
    limit: ">= 0.5x",
    value: `${ratio.toFixed(2)}x`,
    ok: ratio >= 0.5,
  });
}

interface Written {
  micros: number;
  bytes: number;
}

/** A way to write spans without counting anything. */
interface RawTable {
  /** The statement that makes the table `span`. */
  create(database: string): string;
  row(span: SpanRecord): object;
}

async function writeRaw(
  server: RunningClickHouse,
  client: ClickHouseClient,
  records: readonly SpanRecord[],
  { create, row }: RawTable,
): Promise<Written> {
  const database = `bench_${databases++}`;
  await client.command({ query: `CREATE DATABASE ${database}` });
  await client.command({ query: create(database) });
  const micros = await cpuMicros(server, async () => {
    for (const batch of batches(records)) {
      await client.insert({ table: `${database}.span`, values: batch.map(row), format: "JSONEachRow" });
    }
  });
  const bytes = await bytesOf(client, database);
  return { micros: micros / records.length, bytes: bytes / records.length };
}

/** What a host would keep of a span without this store: columns to ask by, and the record. The budget goes by this. */
const RAW: RawTable = {
  create: (database) => {
    const columns = RAW_COLUMNS.map((column) => column.join(" ")).join(", ");
    return `CREATE TABLE ${database}.span (${columns}) ENGINE = ReplacingMergeTree(version) ORDER BY (trace_id, span_id)`;
  },
  row: rawRow,
};

/** The least there is: the store's own table of spans, whose columns nothing can be asked by, without all the others. */
const LEAN: RawTable = {
  create: (database) => clickhouseSchema(database)[1] as string,
  row: (span) => ({
    ...{ scope: "bench", trace_id: span.traceId, span_id: span.spanId, execution_id: span.executionId },
    ...{ written_id: span.executionId, ins_seq: 1, seq: 1, facts: "", ...encodeRecord(span), version: 1 },
  }),
};

const RAW_COLUMNS: readonly [name: string, type: string][] = [
  ...(["trace_id", "span_id", "parent_id", "execution_id", "node_id", "name", "kind"] as const).map(
    (name): [string, string] => [name, "String"],
  ),
  ...(["phase", "revision", "start_time", "end_time", "input", "output", "cost"] as const).map(
    (name): [string, string] => [name, "Int64"],
  ),
  ["status", "String"],
  ["model", "String"],
  ["skeleton", "String CODEC(ZSTD(1))"],
  ["rest", "String CODEC(ZSTD(3))"],
  ["version", "UInt64"],
];

function rawRow(span: SpanRecord): object {
  const { usage, cost } = span;
  const skeleton = toSkeleton(span);
  const rest: Partial<SpanRecord> = { ...span };
  for (const key of Object.keys(skeleton) as (keyof typeof skeleton)[]) rest[key] = undefined;
  return {
    ...{ trace_id: span.traceId, span_id: span.spanId, parent_id: parentOf(span) ?? "" },
    ...{ execution_id: span.executionId, node_id: span.nodeId ?? "", name: span.name, kind: span.kind },
    ...{ phase: phaseOf(span), revision: span.revision },
    ...{ start_time: span.startTime, end_time: span.endTime ?? "0" },
    ...{ input: usage?.input ?? 0, output: usage?.output ?? 0, cost: cost?.nanoUsd ?? 0 },
    ...{ status: span.status.code, model: span.model ?? "" },
    ...{ skeleton: JSON.stringify(skeleton), rest: JSON.stringify(rest), version: 1 },
  };
}

async function writeExact(
  server: RunningClickHouse,
  client: ClickHouseClient,
  records: readonly SpanRecord[],
): Promise<Written> {
  const database = `bench_${databases++}`;
  const store = createClickHouseStore({ client, database, retention: false });
  const scope = store.forScope("bench");
  await scope.listExecutions();
  const micros = await cpuMicros(server, async () => {
    for (const batch of batches(records)) await scope.write(batch);
  });
  await store.close();
  const bytes = await bytesOf(client, database);
  return { micros: micros / records.length, bytes: bytes / records.length };
}

/** A trace of 500 spans; each round goes on with a ledger that holds it, as a server does whose panel is open. */
async function reads(client: ClickHouseClient, { cases }: BenchResult): Promise<void> {
  const database = `bench_${databases++}`;
  const first = createClickHouseStore({ client, database, retention: false });
  const runs = Array.from({ length: 40 }, (_, index) => execution(index, 500)).flat();
  for (const batch of batches(runs)) await first.forScope("bench").write(batch);
  await first.close();
  const store = createClickHouseStore({ client, database, retention: false });
  const scope = store.forScope("bench");
  await scope.listExecutions();
  const cold: number[] = [];
  for (let run = 20; run < 30; run++)
    cold.push(await lasts(() => scope.getTrace(`execution-${run}`, { view: "full" })));
  cases.push(summarize("full trace of 500 spans, not held", "ms", cold));
  const read = (name: string, work: () => Promise<unknown>): Promise<BenchCase> =>
    timed(`${name} of 500 spans`, work);
  cases.push(
    await read("full trace", () => scope.getTrace("execution-1", { view: "full" })),
    await read("skeletons", () => scope.getTrace("execution-1")),
    await read("run metrics", () => scope.getRunMetrics("execution-1")),
    await read("search", () => scope.searchSpans("execution-1", { text: "lazy dog" })),
  );
  await store.close();
}

/** A month's costs, at two sizes of the store. */
async function manyExecutions(client: ClickHouseClient, { cases }: BenchResult): Promise<void> {
  const store = createClickHouseStore({ client, database: `bench_${databases++}`, retention: false });
  const scope = store.forScope("bench");
  const window = { days: 30, timeZone: "America/New_York", lastDay: "2026-11-18" };
  let written = 0;
  for (const size of [2_000, 20_000]) {
    while (written < size) {
      const records: SpanRecord[] = [];
      for (let index = 0; index < 2_000; index++) records.push(...shortExecution(written++));
      await scope.write(records);
    }
    const at = `${size.toLocaleString("en")} executions`;
    for (const groupBy of [undefined, "workflow", "model"] as const) {
      const by = groupBy === undefined ? "in total" : `by ${groupBy}`;
      cases.push(
        await timed(`costs of 30 days ${by}, ${at}`, () =>
          scope.getDailyCosts({ ...window, ...(groupBy && { groupBy }) }),
        ),
      );
    }
    cases.push(
      await timed(`analytics of 30 days by day, ${at}`, () =>
        scope.getAnalytics({ ...window, groupBy: "day" }),
      ),
      await timed(`50 dearest of ${at}`, () =>
        scope.listExecutions({ sort: { by: "cost", direction: "desc" } }),
      ),
    );
  }
  await store.close();
}

async function bytesOf(client: ClickHouseClient, database: string): Promise<number> {
  const rows = await client.query({
    query:
      "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = {database:String}",
    query_params: { database },
    format: "JSONEachRow",
  });
  const [row] = await rows.json<{ bytes: string }>();
  return Number(row?.bytes);
}

async function timed(name: string, work: () => Promise<unknown>): Promise<BenchCase> {
  const rounds: number[] = [];
  for (let round = 0; round < 15; round++) {
    const spent = await lasts(work);
    if (round >= 5) rounds.push(spent);
  }
  return summarize(name, "ms", rounds);
}

async function lasts(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** CPU time of this process and of the engine: neighbours on the machine do not count. Elapsed time where the system does not tell. */
async function cpuMicros({ pid }: RunningClickHouse, work: () => Promise<void>): Promise<number> {
  const own = process.cpuUsage();
  const theirs = engineMicros(pid);
  const started = performance.now();
  await work();
  const elapsed = (performance.now() - started) * 1000;
  const after = engineMicros(pid);
  if (theirs === undefined || after === undefined) return elapsed;
  const { user, system } = process.cpuUsage(own);
  return user + system + after - theirs;
}

/** User and system time of the engine's process. Source: proc(5), with the 100 ticks a second of Linux. */
function engineMicros(pid: number | undefined): number | undefined {
  if (process.platform !== "linux" || pid === undefined) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function* batches(records: readonly SpanRecord[]): Generator<readonly SpanRecord[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
