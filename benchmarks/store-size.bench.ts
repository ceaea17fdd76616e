// How the SQLite store behaves when it is large: traces of 10,000 and 100,000 spans, and 100,000 executions; with FULL=1
// a million, which takes some 6 GB of disk and some ten minutes.
import { copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { nanosFromMillis, type ScopedStore, type SpanRecord, type TraceStore } from "@spanloom/model";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { DAY_MS, execution, FIRST_START_MS, shortExecution } from "./store-sample.ts";

const BATCH = 500;
const MOST = process.env.FULL ? 1_000_000 : 100_000;
const LAST_DAY = { days: 30, timeZone: "America/New_York", lastDay: "2026-11-18" } as const;

const folder = mkdtempSync(join(tmpdir(), "spanloom-bench-"));

export default async function bench(): Promise<BenchResult> {
  try {
    const result: BenchResult = { cases: [], budgets: [] };
    for (const size of [10_000, 100_000]) await largeTrace(result, size);
    await manyExecutions(result);
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One trace: its pages, a search through all of it, and its removal while others write. */
async function largeTrace({ cases }: BenchResult, size: number): Promise<void> {
  const path = join(folder, `trace-${size}.db`);
  const named = (what: string): string => `${what}, trace of ${count(size)} spans`;
  let store = open(path);
  const records = execution(1, size);
  const spent = await lasts(async () => {
    for (const batch of batches(records)) await store.forScope("bench").write(batch);
  });
  cases.push(one(named("write"), "us/span", (spent * 1000) / size));
  await store.close();
  cases.push(one(named("file"), "bytes/span", statSync(path).size / size));

  store = open(path);
  const scope = store.forScope("bench");
  // The worker starts and opens the file.
  await scope.getExecutions(["execution-1"]);
  const first = await lasts(() => scope.getTrace("execution-1"));
  cases.push(one(named("first skeleton page of 10,000, order made"), "ms", first));
  cases.push(await timed(named("first skeleton page of 10,000 again"), () => scope.getTrace("execution-1")));
  const full = { view: "full", limit: 500 } as const;
  cases.push(await timed(named("full page of 500"), () => scope.getTrace("execution-1", full)));
  cases.push(one(named("all skeleton pages"), "ms", await lasts(() => allPages(scope))));
  for (const text of ["fox", "nowhere to be found"]) cases.push(...(await searches(scope, named, text)));
  cases.push(one(named("first analytics"), "ms", await lasts(() => scope.getAnalytics(LAST_DAY))));
  cases.push(...(await prunes(store, named, nanosFromMillis(Date.UTC(2027, 0, 1)))));
  await store.close();
  cases.push(one(named("file after it was pruned"), "MB", statSync(path).size / 1e6));
}

/** How long the pages of a whole search take, and the longest of them. */
async function searches(
  scope: ScopedStore,
  named: (what: string) => string,
  text: string,
): Promise<BenchCase[]> {
  const pages: number[] = [];
  let cursor: string | undefined;
  do {
    const started = performance.now();
    const page = await scope.searchSpans("execution-1", { text, ...(cursor && { cursor }) });
    pages.push(performance.now() - started);
    cursor = page?.nextCursor;
  } while (cursor !== undefined);
  const what = named(`search for "${text}"`);
  return [
    one(
      `${what}: all pages`,
      "ms",
      pages.reduce((sum, page) => sum + page),
    ),
    summarize(`${what}: a page`, "ms", pages),
  ];
}

/** Prunes what ended before, while single spans of a live execution are written one after the other. */
async function prunes(
  store: TraceStore,
  named: (what: string) => string,
  before: string,
): Promise<BenchCase[]> {
  let removed = 0;
  let done = false;
  const pruning = lasts(async () => {
    for (let more = true; more; ) {
      const report = await store.prune({ before, limit: 1000 });
      removed += report.executions;
      more = report.more;
    }
    done = true;
  });
  const writes: number[] = [];
  const live = execution(7_000_000, 20);
  for (let number = 0; !done; number++) {
    const span = live[number % live.length] as SpanRecord;
    const startTime = nanosFromMillis(Date.UTC(2028, 0, 1));
    const write = store
      .forScope("bench")
      .write([{ ...span, startTime, endTime: undefined, revision: number }]);
    writes.push(await lasts(() => write));
    await setTimeout(5);
  }
  const took = await pruning;
  const cases = [
    one(named(`prune, ${count(removed)} executions gone`), "ms", took),
    one(named("prune"), "us/execution", (took * 1000) / removed),
  ];
  if (writes.length > 0) cases.push(summarize(named("a write of one span meanwhile"), "ms", writes));
  return cases;
}

/** A store of many executions: what it takes on disk, to open, to ask, and to be rid of the oldest day. */
async function manyExecutions({ cases, budgets }: BenchResult): Promise<void> {
  const few = join(folder, "few.db");
  const path = join(folder, "executions.db");
  let written = 0;
  for (const size of [MOST / 10, MOST]) {
    const named = (what: string): string => `${what}, ${count(size)} executions`;
    let store = open(path);
    const from = written;
    const spent = await lasts(async () => {
      while (written < size) {
        const records: SpanRecord[] = [];
        for (let index = 0; index < 500; index++) {
          // In the order of time, as they come; each round goes through the whole month.
          const share = (written - from) / (size - from);
          records.push(...shortExecution(written++, FIRST_START_MS + Math.floor(share * 30 * DAY_MS)));
        }
        await store.forScope("bench").write(records);
      }
    });
    cases.push(one(named("write"), "us/execution", (spent * 1000) / (size - from)));
    const first = await lasts(() => store.forScope("bench").getAnalytics(LAST_DAY));
    cases.push(one(named("first analytics right after the write"), "ms", first));
    await store.close();
    cases.push(one(named("file"), "MB", statSync(path).size / 1e6));
    cases.push(one(named("file"), "bytes/span", statSync(path).size / size / 3));
    const opened = performance.now();
    store = open(path);
    await store.forScope("bench").listExecutions();
    cases.push(one(named("open and list the newest 50"), "ms", performance.now() - opened));
    await store.close();
    if (size < MOST) copyFileSync(path, few);
  }
  const month = await monthOf(few, path);
  cases.push(...month);
  const measured = month.filter(({ ratioTo }) => ratioTo !== undefined);
  const slowest = measured.reduce((a, b) => (a.median > b.median ? a : b));
  const steepest = measured.reduce((a, b) => (ratioOf(a) > ratioOf(b) ? a : b));
  budgets.push(
    {
      what: `the slowest: ${slowest.name}`,
      limit: "<= 10 ms",
      value: `${slowest.median.toFixed(2)} ms`,
      ok: slowest.median <= 10,
    },
    {
      what: `the steepest against ${count(MOST / 10)} executions: ${steepest.name}`,
      limit: "<= 2x",
      value: `${ratioOf(steepest).toFixed(2)}x`,
      ok: ratioOf(steepest) <= 2,
    },
  );
  const store = open(path);
  const named = (what: string): string => `${what}, oldest day of ${count(MOST)} executions`;
  cases.push(...(await prunes(store, named, nanosFromMillis(FIRST_START_MS + DAY_MS))));
  await store.close();
  cases.push(one(named("file after"), "MB", statSync(path).size / 1e6));
}

/** Each query of a month, of the few and of all executions in turn: a busy moment of the machine hits both. */
async function monthOf(few: string, all: string): Promise<BenchCase[]> {
  const stores = [open(few), open(all)] as const;
  const [small, large] = [stores[0].forScope("bench"), stores[1].forScope("bench")] as const;
  const cases: BenchCase[] = [];
  for (const [what, ask] of QUERIES) {
    const times: [number[], number[]] = [[], []];
    for (let round = -10; round < 41; round++) {
      const spent = [await lasts(() => ask(small)), await lasts(() => ask(large))] as const;
      if (round < 0) continue;
      times[0].push(spent[0]);
      times[1].push(spent[1]);
    }
    const base = summarize(`${what}, ${count(MOST / 10)} executions`, "ms", times[0]);
    const measured = summarize(`${what}, ${count(MOST)} executions`, "ms", times[1]);
    const ratios = times[1].map((time, round) => time / (times[0][round] ?? Number.NaN));
    const ratio = summarize(what, "x", ratios).median;
    cases.push(base, { ...measured, ratioTo: { case: base.name, ratio } });
  }
  for (const store of stores) await store.close();
  return cases;
}

const QUERIES: [what: string, ask: (scope: ScopedStore) => Promise<unknown>][] = [
  ...([undefined, "workflow", "model"] as const).map((groupBy): (typeof QUERIES)[number] => [
    `30 days of costs by ${groupBy ?? "day"}`,
    (scope) => scope.getDailyCosts({ ...LAST_DAY, ...(groupBy && { groupBy }) }),
  ]),
  ...([undefined, "day", "workflow", "nodeType", "model"] as const).map(
    (groupBy): (typeof QUERIES)[number] => [
      `30 days of analytics ${groupBy === undefined ? "in total" : `by ${groupBy}`}`,
      (scope) => scope.getAnalytics({ ...LAST_DAY, ...(groupBy && { groupBy }) }),
    ],
  ),
];

function ratioOf({ ratioTo }: BenchCase): number {
  return ratioTo?.ratio ?? Number.NaN;
}

async function allPages(scope: ScopedStore): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await scope.getTrace("execution-1", { ...(cursor && { cursor }) });
    cursor = page?.nextCursor;
  } while (cursor !== undefined);
}

function open(path: string): TraceStore {
  return createSqliteStore({ path, retention: false });
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

function one(name: string, unit: string, value: number): BenchCase {
  return summarize(name, unit, [value]);
}

function count(size: number): string {
  return size.toLocaleString("en");
}

function* batches(records: readonly SpanRecord[]): Generator<readonly SpanRecord[]> {
  for (let at = 0; at < records.length; at += BATCH) yield records.slice(at, at + BATCH);
}
