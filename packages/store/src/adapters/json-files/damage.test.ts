import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SpanloomError, SpanRecord, TraceStore } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createJsonFilesStore } from "../json-files.ts";
import { newFolder } from "./harness.test-support.ts";

let folder: string;
let problems: SpanloomError[];
const opened: TraceStore[] = [];
beforeEach(async () => {
  folder = await newFolder();
  problems = [];
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

function open(): TraceStore {
  const store = createJsonFilesStore({ folder, retention: false, onProblem: (one) => problems.push(one) });
  opened.push(store);
  return store;
}

function spanOf(run: number, number: number): SpanRecord {
  return makeSpan({
    executionId: `run-${run}`,
    traceId: String(run).padStart(32, "0"),
    spanId: String(number).padStart(16, "0"),
    parentSpanId: undefined,
  });
}

/** Four saves, of one execution each: every second line is a commit. */
async function write(): Promise<string> {
  const store = createJsonFilesStore({ folder, retention: false });
  const scope = store.forScope("scope");
  for (const spans of [[spanOf(1, 1)], [spanOf(1, 2)], [spanOf(2, 1)], [spanOf(3, 1)]]) {
    await scope.write(spans);
  }
  await store.close();
  return fileOf("executions");
}

async function fileOf(kind: "executions" | "spans"): Promise<string> {
  const [scope = ""] = await readdir(folder);
  const [file = ""] = await readdir(join(folder, scope, kind));
  return join(folder, scope, kind, file);
}

const ALL = ["run-1: 2", "run-2: 1", "run-3: 1"];
const WITHOUT_RUN_2 = ["run-1: 2", "run-3: 1"];
const BEFORE = ["run-1: 1", "run-2: 1", "run-3: 1"];

test.each<[what: string, line: number, damage: (line: string) => string, left: string[]]>([
  ["a commit in the middle", 3, (line) => line.replace("commit", "comm\u0000t"), ALL],
  ["the last commit", 7, (line) => line.replace("commit", "comm\u0000t"), ALL],
  ["the number of a save", 4, (line) => line.replace('"n":3', '"n":7'), WITHOUT_RUN_2],
  ["the first byte", 4, (line) => ` ${line.slice(1)}`, WITHOUT_RUN_2],
  ["the id of an execution", 4, (line) => line.replace("run-2", "run\u0001-2"), WITHOUT_RUN_2],
  ["the newest line of an execution", 2, (line) => `${line.slice(0, 200)}\u0000${line.slice(201)}`, BEFORE],
  ["its end", 2, (line) => `${line.slice(0, -2)}\u0000\u0000`, BEFORE],
  ["its beginning", 2, (line) => `\u0000${line.slice(1)}`, BEFORE],
])("damage to %s is reported with its place, and costs what the line alone said", async (...parts) => {
  const [, number, damage, left] = parts;
  const file = await write();
  const lines = (await readFile(file, "utf8")).split("\n");
  const offset = lines.slice(0, number).join("\n").length + 1;
  lines[number] = damage(lines[number] ?? "");
  await writeFile(file, lines.join("\n"));

  const scope = open().forScope("scope");
  const shown = (await scope.listExecutions()).items.map((one) => `${one.executionId}: ${one.spanCount}`);
  expect(shown.sort()).toEqual(left);
  expect((await scope.getTrace("run-1"))?.spans).toHaveLength(left === BEFORE ? 1 : 2);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toContain(`${file} cannot be read, at byte ${offset}`);
  // What comes later stands on what is left.
  await scope.write([spanOf(1, 3)]);
  expect((await scope.getTrace("run-1"))?.spans).toHaveLength(left === BEFORE ? 2 : 3);
  expect((await scope.recompute()).corrected).toEqual([]);
});

test("two lines that have become one are reported", async () => {
  const file = await write();
  const lines = (await readFile(file, "utf8")).split("\n");
  lines.splice(4, 2, `${lines[4]}x${lines[5]}`);
  await writeFile(file, lines.join("\n"));
  const { items } = await open().forScope("scope").listExecutions();
  expect(items.map((one) => one.executionId).sort()).toEqual(["run-1", "run-3"]);
  expect(problems).toHaveLength(1);
});

test("a line of retention that says nothing usable is reported, and calls go on", async () => {
  const file = await write();
  const text = await readFile(file, "utf8");
  await writeFile(file, `${text}{"n":5,"retention":{"before":"soon"}}\n{"commit":5}\n`);
  const scope = open().forScope("scope");
  expect((await scope.listExecutions()).items).toHaveLength(3);
  expect(problems).toHaveLength(1);
  expect((await scope.write([spanOf(4, 1)])).written).toBe(1);
});

test("a line of spans whose first byte is damaged is reported", async () => {
  await write();
  const file = await fileOf("spans");
  const text = await readFile(file, "utf8");
  await writeFile(file, ` ${text.slice(1)}`);
  expect((await open().forScope("scope").getTrace("run-1"))?.spans).toHaveLength(1);
  expect(problems[0]?.message).toContain(`${file} cannot be read, at byte 0`);
});

test("a line that a crash left half erased is none", async () => {
  const file = await write();
  const lines = (await readFile(file, "utf8")).split("\n");
  lines[0] = " ".repeat(100) + lines[0]?.slice(100);
  await writeFile(file, lines.join("\n"));
  expect((await open().forScope("scope").listExecutions()).items).toHaveLength(3);
  expect(problems).toEqual([]);
});

test("a scope whose name is damaged is reported when retention looks for it, and a write makes it again", async () => {
  await write();
  const [scope = ""] = await readdir(folder);
  const file = join(folder, scope, "scope.json");
  await writeFile(file, "");
  const store = open();
  const everything = { before: String(2n ** 63n - 1n) };
  expect(await store.prune(everything)).toMatchObject({ executions: 0 });
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining(join(folder, scope))]);
  await store.forScope("scope").write([spanOf(5, 1)]);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ scope: "scope" });
  expect(await store.prune(everything)).toMatchObject({ executions: 4 });
  expect(problems).toHaveLength(1);
});

test("a process that follows falls back to the state before a damaged one, as one that opens the folder does", async () => {
  const follower = open().forScope("scope");
  const writer = createJsonFilesStore({ folder, retention: false });
  await writer.forScope("scope").write([spanOf(1, 1)]);
  expect((await follower.getExecution("run-1"))?.spanCount).toBe(1);
  await writer.forScope("scope").write([spanOf(1, 2)]);
  await writer.forScope("scope").write([spanOf(1, 3)]);
  await writer.close();
  const path = await fileOf("executions");
  const lines = (await readFile(path, "utf8")).split("\n");
  const newest = lines.findLastIndex((line) => line.includes('"execution_id"'));
  lines[newest] = (lines[newest] ?? "").replace(/.{20}$/, "#".repeat(20));
  await writeFile(path, lines.join("\n"));

  const spanCounts = [follower, open().forScope("scope")].map(
    async (scope) => (await scope.getExecution("run-1"))?.spanCount,
  );
  expect(await Promise.all(spanCounts)).toEqual([2, 2]);
  await follower.write([spanOf(1, 4)]);
  const names = (await open().forScope("scope").getTrace("run-1"))?.spans.map(({ spanId }) => spanId);
  expect(names?.map(Number)).toEqual([1, 2, 4]);
});
