import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { nanosFromMillis, type SpanRecord, type TraceStore } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, expect, test } from "vitest";
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
    traceId: String(number).padStart(32, "0"),
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
