// What the json-files store costs against plain appends of the same lines, and how long it takes to open 90 days of files.
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import type { ScopedStore, SpanRecord, TraceStore } from "@spanloom/model";
import { createJsonFilesStore } from "@spanloom/store/json-files";
import { against, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { DAY_MS, execution, FIRST_START_MS } from "./store-sample.ts";

const BATCH = 500;
const ROUNDS = 5;
const SPANS = 10_000;
const KEPT_DAYS = 90;
const A_DAY = 200;
const SIZE = 20;

const root = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
let folders = 0;
const newFolder = (): string => join(root, String(folders++));
const open = (folder: string): TraceStore => createJsonFilesStore({ folder, retention: false });

export default async function bench(): Promise<BenchResult> {
  try {
    const result: BenchResult = { cases: [], budgets: [] };
    await ingest(result, 20);
    await ingest(result, 1000);
    await largeTrace(result, 100_000);
    await opening(result);
    return result;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Writes the same records through the store, and as lines appended batch by batch to one file. */
async function ingest({ cases }: BenchResult, size: number): Promise<void> {
  const raw: number[] = [];
  const exact: number[] = [];
  let bytes = 0;
  for (let round = 0; round < ROUNDS + 1; round++) {
    const records = Array.from({ length: SPANS / size }, (_, index) => execution(index, size)).flat();
    const plain = newFolder();
    mkdirSync(plain);
    const before = process.cpuUsage();
    for (const batch of batches(records)) {
      appendFileSync(
        join(plain, "spans.jsonl"),
        batch.map((record) => `${JSON.stringify(record)}\n`).join(""),
      );
    }
    const spentRaw = cpuMicrosSince(before) / records.length;
    const folder = newFolder();
    const store = open(folder);
    const scope = store.forScope("bench");
    await scope.listExecutions();
    const begun = process.cpuUsage();
    for (const batch of batches(records)) await scope.write(batch);
    const spentExact = cpuMicrosSince(begun) / records.length;
    await store.close();
    bytes = sizeOf(folder) / records.length;
    if (round === 0) continue;
    raw.push(spentRaw);
    exact.push(spentExact);
  }
  const base = summarize(`raw appends, executions of ${size}`, "us/span", raw);
  cases.push(
    base,
    against(summarize(`exact sums, executions of ${size}`, "us/span", exact), base),
    summarize(`files, executions of ${size}`, "bytes/span", [bytes]),
  );
}

/** One trace: its first page, which orders it, and pages of payloads. */
async function largeTrace({ cases }: BenchResult, size: number): Promise<void> {
  const folder = newFolder();
  let store = open(folder);
  const records = execution(1, size);
  for (const batch of batches(records)) await store.forScope("bench").write(batch);
  await store.close();
  store = open(folder);
  const scope = store.forScope("bench");
  const named = (what: string): string => `${what}, trace of ${size.toLocaleString("en")} spans`;
  const first = await lasts(() => scope.getTrace("execution-1"));
  cases.push(summarize(named("first skeleton page of 10,000, read and ordered"), "ms", [first]));
  const full = { view: "full", limit: 500 } as const;
  cases.push(await timed(named("skeleton page of 10,000 again"), () => scope.getTrace("execution-1")));
  cases.push(await timed(named("full page of 500"), () => scope.getTrace("execution-1", full)));
  await store.close();
}

/** A host that starts: its first list and chart over all days that are kept. */
async function opening({ cases, budgets }: BenchResult): Promise<void> {
  const folder = newFolder();
  mock.timers.enable({ apis: ["Date"], now: FIRST_START_MS });
  const store = open(folder);
  for (let day = 0; day < KEPT_DAYS; day++) {
    mock.timers.setTime(FIRST_START_MS + day * DAY_MS);
    await writeDay(store.forScope("bench"), day);
  }
  await store.close();
  mock.timers.reset();
  const spent: number[] = [];
  for (let round = 0; round < 7; round++) {
    const opened = open(folder);
    const scope = opened.forScope("bench");
    spent.push(
      await lasts(async () => {
        await scope.listExecutions();
        await scope.getDailyCosts({
          days: KEPT_DAYS,
          timeZone: "America/New_York",
          lastDay: new Date(FIRST_START_MS + KEPT_DAYS * DAY_MS).toISOString().slice(0, 10),
        });
      }),
    );
    await opened.close();
  }
  const what = `open: first list and ${KEPT_DAYS}-day costs of ${KEPT_DAYS} days with ${A_DAY} executions of ${SIZE} spans`;
  const measured = summarize(what, "ms", spent);
  cases.push(measured, summarize(`files of ${KEPT_DAYS} days`, "MB", [sizeOf(folder) / 1e6]));
  budgets.push({
    what: `${KEPT_DAYS} days of files open`,
    limit: "<= 1000 ms",
    value: `${measured.median.toFixed(0)} ms`,
    ok: measured.median <= 1000,
  });
}

/** Each execution comes in two parts, as a tracer delivers it: what it replaced stands in the files, too. */
async function writeDay(scope: ScopedStore, day: number): Promise<void> {
  const runs = Array.from({ length: A_DAY }, (_, index) => {
    const number = day * A_DAY + index;
    return execution(number, SIZE, FIRST_START_MS + day * DAY_MS + index * 400_000);
  });
  for (let at = 0; at < A_DAY; at += 20) {
    const part = runs.slice(at, at + 20);
    await scope.write(part.flatMap((spans) => spans.slice(0, SIZE / 2)));
    await scope.write(part.flatMap((spans) => spans.slice(SIZE / 2)));
  }
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((one) => one.isFile())
    .reduce((sum, one) => sum + statSync(join(one.parentPath, one.name)).size, 0);
}

async function timed(name: string, work: () => Promise<unknown>): Promise<BenchCase> {
  const rounds: number[] = [];
  for (let round = 0; round < 10; round++) {
    const spent = await lasts(work);
    if (round >= 3) rounds.push(spent);
  }
  return summarize(name, "ms", rounds);
}

async function lasts(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** CPU time of this process: neighbours on the machine do not count. */
function cpuMicrosSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function* batches(records: readonly SpanRecord[]): Generator<readonly SpanRecord[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
