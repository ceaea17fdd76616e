import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { nanosFromMillis, type ScopedStore, type SpanRecord, type TraceStore } from "@spanloom/model";
import { makeTrace, textContent } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRandom, type Random } from "../../testing/random.ts";
import { createJsonFilesStore } from "../json-files.ts";
import { newFolder } from "./harness.test-support.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function open(): TraceStore {
  return createJsonFilesStore({ folder, retention: false });
}

function run(number: number, daysAgo: number): SpanRecord[] {
  const startMs = NOW_MS - daysAgo * DAY_MS;
  return makeTrace({ spans: 5, seed: number }).map((span) => ({
    ...span,
    executionId: `run-${number}`,
    traceId: String(number).padStart(32, "a"),
    startTime: nanosFromMillis(startMs),
    endTime: nanosFromMillis(startMs + 1_000),
  }));
}

test("what two writers pruned goes on counting, whichever of their files is read first", async () => {
  const [a, b] = [open(), open()];
  await a.forScope("scope").write([...run(1, 9), ...run(3, 1)]);
  await b.forScope("scope").write(run(2, 5));
  const query = { days: 10, timeZone: "UTC" };
  const before = await a.forScope("scope").getDailyCosts(query);
  // The first one adds up all that was pruned so far, then the second one prunes more.
  await a.prune({ before: daysAgo(7), sumsBefore: daysAgo(100) });
  await b.prune({ before: daysAgo(3) });
  await Promise.all([a.close(), b.close()]);

  const [scope = ""] = await readdir(folder);
  const executions = join(folder, scope, "executions");
  const files = (await readdir(executions)).map((file) => join(executions, file));
  expect(files).toHaveLength(2);
  for (const order of [files, files.toReversed()]) {
    const names = order.map((file, index) => [file, file.replace(WRITER, `.${index}.jsonl`)]);
    for (const [from = "", to = ""] of names) await rename(from, to);
    const reader = open();
    expect(await reader.forScope("scope").getDailyCosts(query)).toEqual(before);
    await reader.close();
    for (const [from = "", to = ""] of names) await rename(to, from);
  }
});

/** At the end of a file's name. */
const WRITER = /\.[^.]+\.jsonl$/;

function daysAgo(days: number): string {
  return nanosFromMillis(NOW_MS - days * DAY_MS);
}

test("three writers that write, name late, delete, prune and redact at once agree on what is there", {
  timeout: 60_000,
}, async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = createRandom(seed * 77);
    const stores = [open(), open(), open()];
    const scope = `scope ${seed}`;
    await Promise.all(stores.map((store) => disturb(store.forScope(scope), random)));
    const fresh = open();
    const views = [];
    for (const store of [...stores, fresh]) views.push(await viewOf(store.forScope(scope)));
    expect((await fresh.forScope(scope).recompute()).corrected, `seed ${seed}`).toEqual([]);
    views.push(await viewOf(fresh.forScope(scope)));
    for (const view of views) expect(view, `seed ${seed}`).toEqual(views[0]);
    await Promise.all([...stores, fresh].map((store) => store.close()));
  }
});

async function disturb(traces: ScopedStore, random: Random): Promise<void> {
  for (let step = 0; step < 25; step++) {
    const number = random.int(20);
    const spans = run(number, random.int(20)).map((span) => ({
      ...span,
      executionId: random.chance(0.3) ? span.traceId : span.executionId,
      revision: random.int(3),
      output: textContent(`content ${random.int(5)}`),
    }));
    const kind = random.int(10);
    if (kind < 6) await traces.write(spans);
    else if (kind === 6) await traces.deleteExecution(`run-${random.int(20)}`);
    else if (kind === 7)
      await traces.prune({ before: daysAgo(5 + random.int(15)), limit: 1 + random.int(5) });
    else if (kind === 8) await traces.redact(withoutThree);
    else await traces.getTrace(`run-${number}`, { view: "full" });
  }
}

function withoutThree(record: SpanRecord): SpanRecord {
  return JSON.parse(JSON.stringify(record).replaceAll("content 3", "[gone]")) as SpanRecord;
}

/** Everything that a handle shows; each execution with as many spans as it says. */
async function viewOf(traces: ScopedStore): Promise<unknown> {
  const { items } = await traces.listExecutions({ limit: 500 });
  const pages = [];
  for (const { executionId, spanCount } of items) {
    const page = await traces.getTrace(executionId, { view: "full", limit: 1_000 });
    expect(page?.spans.length, executionId).toBe(spanCount);
    pages.push(page?.spans);
  }
  const query = { days: 40, timeZone: "Europe/Berlin" };
  const costs = await traces.getDailyCosts({ ...query, groupBy: "model" });
  return { items, pages, costs, analytics: await traces.getAnalytics({ ...query, groupBy: "workflow" }) };
}
