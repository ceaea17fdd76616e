// What exact sums cost when spans are written to SQLite, what a write costs the host's thread, and how long reads take.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { parentOf, phaseOf, type ScopedStore, type SpanRecord, toSkeleton } from "@spanloom/model";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { against, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { execution, shortExecution } from "./store-sample.ts";

const BATCH = 500;
const ROUNDS = 7;

const folder = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
let files = 0;
const newFile = (): string => join(folder, `${files++}.db`);

export default async function bench(): Promise<BenchResult> {
  try {
    const result: BenchResult = { cases: [], budgets: [] };
    await ingest(result, 20, 0.6);
    await ingest(result, 1000, 0.8);
    await mainThread(result);
    await reads(result);
    await dailyCosts(result);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the same records with exact sums, and as plain rows through one prepared upsert on the same engine. */
async function ingest({ cases, budgets }: BenchResult, size: number, least: number): Promise<void> {
  const raw: number[] = [];
  const exact: number[] = [];
  for (let round = 0; round < ROUNDS + 1; round++) {
    const records = Array.from({ length: 10_000 / size }, (_, index) => execution(index, size)).flat();
    const spent = [writeRaw(records), await writeExact(records)] as const;
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

function writeRaw(records: readonly SpanRecord[]): number {
  const database = new DatabaseSync(newFile());
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE span (${RAW_COLUMNS.join(", ")}, UNIQUE (trace_id, span_id))`);
  const upsert = database.prepare(`INSERT INTO span VALUES (${RAW_COLUMNS.map(() => "?").join(", ")})
    ON CONFLICT (trace_id, span_id) DO UPDATE SET ${RAW_COLUMNS.map((name) => `${name} = excluded.${name}`).join(", ")}
    WHERE excluded.phase > phase OR (excluded.phase = phase AND excluded.revision > revision)`);
  const before = process.threadCpuUsage();
  for (const batch of batches(records)) {
    database.exec("BEGIN IMMEDIATE");
    for (const span of batch) upsert.run(...rawRow(span));
    database.exec("COMMIT");
  }
  const micros = cpuMicrosSince(before);
  database.close();
  return micros / records.length;
}

/** The same row that the store keeps of a span, but for what counting needs. */
const RAW_COLUMNS = [
  ...["trace_id", "span_id", "parent_id", "execution_id", "node_id", "name", "kind", "phase", "revision"],
  ...["start_ms", "start_ns", "end_ms", "end_ns", "status", "model", "input", "output", "cost"],
  ...["skeleton", "rest"],
];

function rawRow(span: SpanRecord): (string | number | null)[] {
  const { startTime, endTime, usage, cost } = span;
  const skeleton = toSkeleton(span);
  const rest: Partial<SpanRecord> = { ...span };
  for (const key of Object.keys(skeleton) as (keyof typeof skeleton)[]) rest[key] = undefined;
  return [
    ...[span.traceId, span.spanId, parentOf(span) ?? null, span.executionId, span.nodeId ?? null],
    ...[span.name, span.kind, phaseOf(span), span.revision],
    ...[Number(startTime.slice(0, -6)), Number(startTime.slice(-6))],
    ...[
      endTime === undefined ? null : Number(endTime.slice(0, -6)),
      endTime === undefined ? null : Number(endTime.slice(-6)),
    ],
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

async function writeExact(records: readonly SpanRecord[]): Promise<number> {
  const store = createSqliteStore({
    path: newFile(),
    worker: false,
    driver: "node:sqlite",
    retention: false,
  });
  const scope = store.forScope("bench");
  await scope.listExecutions();
  const before = process.threadCpuUsage();
  for (const batch of batches(records)) await scope.write(batch);
  const micros = cpuMicrosSince(before);
  await store.close();
  return micros / records.length;
}

/** What a write through the worker costs the thread that asks for it. */
async function mainThread({ cases, budgets }: BenchResult): Promise<void> {
  const store = createSqliteStore({ path: newFile(), retention: false });
  const scope = store.forScope("bench");
  const spent: number[] = [];
  const delays: number[] = [];
  for (let round = 0; round < 40; round++) {
    const records = execution(round, BATCH);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    await setImmediate();
    delay.enable();
    const before = process.threadCpuUsage();
    const receipt = await scope.write(records);
    const micros = cpuMicrosSince(before);
    delay.disable();
    if (receipt.written !== BATCH) throw new Error("The write did not store every span.");
    if (round < 10) continue;
    spent.push(micros / 1000);
    // The histogram counts its own interval in.
    delays.push(Math.max(0, delay.max / 1e6 - 1));
  }
  await store.close();
  const share = summarize(`main thread, write of ${BATCH} spans`, "ms", spent);
  const longest = summarize(`longest loop delay, write of ${BATCH} spans`, "ms", delays);
  cases.push(share, longest);
  budgets.push(
    atMost(`main-thread share of a ${BATCH}-span write`, share.median, 2),
    atMost("longest event-loop delay meanwhile (median of writes)", longest.median, 10),
  );
}

/** A trace of 500 spans, in the store's own thread and through the worker. */
async function reads({ cases }: BenchResult): Promise<void> {
  for (const worker of [false, true]) {
    const where = worker ? "through the worker" : "in the thread";
    const store = createSqliteStore({ path: newFile(), worker, retention: false });
    const scope = store.forScope("bench");
    await scope.write(execution(1, BATCH));
    const read = (name: string, work: () => Promise<unknown>): Promise<BenchCase> =>
      timed(`${name}, ${BATCH} spans, ${where}`, work);
    cases.push(
      await read("full trace", () => scope.getTrace("execution-1", { view: "full" })),
      await read("skeletons", () => scope.getTrace("execution-1")),
      await read("run metrics", () => scope.getRunMetrics("execution-1")),
    );
    await store.close();
  }
  cases.push(await firstPage(100_000));
}

/** The first page orders the whole trace; each round opens the store anew, which has kept no order. */
async function firstPage(size: number): Promise<BenchCase> {
  const path = newFile();
  const spent: number[] = [];
  for (let round = 0; round < 4; round++) {
    const store = createSqliteStore({ path, worker: false, retention: false });
    const scope = store.forScope("bench");
    if (round === 0) for (const batch of batches(execution(1, size))) await scope.write(batch);
    const started = performance.now();
    await scope.getTrace("execution-1");
    if (round > 0) spent.push(performance.now() - started);
    await store.close();
  }
  return summarize(`first skeleton page of ${size.toLocaleString("en")} spans`, "ms", spent);
}

/** A month's costs, at two sizes of the store. */
async function dailyCosts({ cases, budgets }: BenchResult): Promise<void> {
  const store = createSqliteStore({ path: newFile(), worker: false, retention: false });
  const scope = store.forScope("bench");
  let written = 0;
  const slowest: number[] = [];
  for (const size of [10_000, 100_000]) {
    while (written < size) {
      const records: SpanRecord[] = [];
      for (let index = 0; index < 500; index++) records.push(...shortExecution(written++));
      await scope.write(records);
    }
    const medians: number[] = [];
    for (const groupBy of [undefined, "workflow", "model"] as const) {
      const query = {
        days: 30,
        timeZone: "America/New_York",
        lastDay: "2026-11-18",
        ...(groupBy && { groupBy }),
      };
      const by = groupBy === undefined ? "in total" : `by ${groupBy}`;
      const measured = await timed(`30 days ${by}, ${size.toLocaleString("en")} executions`, () =>
        scope.getDailyCosts(query),
      );
      cases.push(measured);
      medians.push(measured.median);
    }
    slowest.push(Math.max(...medians));
    cases.push(await listing(scope, size));
  }
  await store.close();
  const [small = Number.NaN, large = Number.NaN] = slowest;
  budgets.push(atMost("30-day cost query, slowest grouping, 100,000 executions", large, 10), {
    what: "30-day cost query, 100,000 executions against 10,000",
    limit: "<= 2x",
    value: `${(large / small).toFixed(2)}x`,
    ok: large / small <= 2,
  });
}

function listing(scope: ScopedStore, size: number): Promise<BenchCase> {
  const query = { sort: { by: "cost", direction: "desc" } } as const;
  return timed(`50 dearest of ${size.toLocaleString("en")} executions`, () => scope.listExecutions(query));
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

/** CPU time of this thread: neighbours on the machine do not count. */
function cpuMicrosSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

function atMost(what: string, value: number, limit: number): BenchResult["budgets"][number] {
  return { what, limit: `<= ${limit} ms`, value: `${value.toFixed(2)} ms`, ok: value <= limit };
}

function* batches(records: readonly SpanRecord[]): Generator<readonly SpanRecord[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
