import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SpanloomError } from "@spanloom/model";
import { sampleTrace } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storeConformance } from "../testing/index.ts";
import { newFolder, openStore, processes } from "./json-files/harness.test-support.ts";
import { createJsonFilesStore } from "./json-files.ts";

storeConformance({
  name: "json-files",
  runner: { describe, test },
  features: { durable: true, erasure: true, concurrentWriters: true },
  open: openStore,
  processes,
  histories: 5,
  kills: 1,
});

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const [trace] = [sampleTrace()];
const executionId = trace[0]?.executionId ?? "";

/** The one file of a kind in the only scope. */
async function fileOf(kind: "executions" | "spans"): Promise<string> {
  const [scope = ""] = await readdir(folder);
  const [file = ""] = await readdir(join(folder, scope, kind));
  return join(folder, scope, kind, file);
}

test("anyone can read the files: a line for each state of an execution, and one for each of a span", async () => {
  const store = createJsonFilesStore({ folder, retention: false });
  await store.forScope("Team A").write(trace);
  await store.close();
  expect((await readdir(folder))[0]).toMatch(/^team-a-[0-9a-f]{24}$/);
  const today = new Date().toISOString().slice(0, 10);
  const spans = await fileOf("spans");
  expect(spans).toContain(`${today}.${process.pid}-`);
  const lines = (await readFile(spans, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(trace.length);
  const names = lines.map((line) => JSON.parse(line).record.name).sort();
  expect(names).toEqual(trace.map((span) => span.name).sort());
  const [line = ""] = (await readFile(await fileOf("executions"), "utf8")).split("\n");
  expect(JSON.parse(line).summary).toMatchObject({ executionId, spanCount: trace.length });
});

test("a write that a crash cut off was never acknowledged, and is not there", async () => {
  const store = createJsonFilesStore({ folder, retention: false });
  await store.forScope("scope").write(trace);
  await store.close();
  const file = await fileOf("executions");
  const [line = ""] = (await readFile(file, "utf8")).split("\n");
  const cut = line.replace(executionId, "run-cut").replace(/^\{"n":1,/, '{"n":2,');
  for (const tail of [`${cut}\n`, cut.slice(0, 300), `${cut}\n{"comm`]) {
    const whole = await readFile(file, "utf8");
    await appendFile(file, tail);
    const problems: SpanloomError[] = [];
    const opened = createJsonFilesStore({ folder, retention: false, onProblem: (one) => problems.push(one) });
    const scope = opened.forScope("scope");
    expect((await scope.listExecutions()).items.map((one) => one.executionId)).toEqual([executionId]);
    expect(await scope.recompute()).toEqual({ executions: 1, corrected: [] });
    expect(problems).toEqual([]);
    await opened.close();
    await writeFile(file, whole);
  }
});

test("a damaged line is reported with its place, and every other one is read", async () => {
  const store = createJsonFilesStore({ folder, retention: false });
  await store.forScope("scope").write(trace);
  await store.close();
  const file = await fileOf("spans");
  const lines = (await readFile(file, "utf8")).split("\n");
  const lost = JSON.parse(lines[2] ?? "").record;
  const offset = Buffer.byteLength(lines.slice(0, 2).join("\n")) + 1;
  lines[2] = `${lines[2]?.slice(0, 40)}\u0000${lines[2]?.slice(41, -1)}!`;
  await writeFile(file, lines.join("\n"));
  const problems: SpanloomError[] = [];
  const opened = createJsonFilesStore({ folder, retention: false, onProblem: (one) => problems.push(one) });
  const page = await opened.forScope("scope").getTrace(executionId);
  expect(page?.spans.map((span) => span.spanId).sort()).toEqual(
    trace
      .map((span) => span.spanId)
      .filter((id) => id !== lost.spanId)
      .sort(),
  );
  expect(problems[0]?.message).toContain(`at byte ${offset}`);
  expect(problems[0]?.message).toContain(file);
  await opened.close();
});

test("a damaged line of executions is reported, and the others are read", async () => {
  const store = createJsonFilesStore({ folder, retention: false });
  const scope = store.forScope("scope");
  await scope.write(trace);
  await scope.write(trace.map((span) => ({ ...span, executionId: "run-2", traceId: "d".repeat(32) })));
  await store.close();
  const file = await fileOf("executions");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace('"execution_id"', '"exec\u0001tion_id'));
  const problems: SpanloomError[] = [];
  const opened = createJsonFilesStore({ folder, retention: false, onProblem: (one) => problems.push(one) });
  const { items } = await opened.forScope("scope").listExecutions();
  expect(items.map((one) => one.executionId)).toEqual(["run-2"]);
  expect(problems).toHaveLength(1);
  await opened.close();
});

test("refuses options that cannot be used", () => {
  const wrong = [{ folder: "" }, { folder, durability: "forever" }];
  for (const options of wrong) {
    expect(() => createJsonFilesStore(options as Parameters<typeof createJsonFilesStore>[0])).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});
