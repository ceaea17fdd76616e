import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SpanRecord, TraceStore } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createJsonFilesStore } from "../json-files.ts";
import { newFolder } from "./harness.test-support.ts";
import { LogFiles } from "./log-files.ts";

const SECRET = "a secret that nobody else would write";

let folder: string;
const opened: TraceStore[] = [];
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

function open(): TraceStore {
  const store = createJsonFilesStore({ folder, retention: false });
  opened.push(store);
  return store;
}

const spans = [1, 2].map((number) =>
  makeSpan({
    executionId: "run-1",
    traceId: "a".repeat(32),
    spanId: String(number).padStart(16, "0"),
    parentSpanId: undefined,
    output: textContent(SECRET),
  }),
);

const withoutSecret = (record: SpanRecord): SpanRecord =>
  JSON.parse(JSON.stringify(record).replaceAll(SECRET, "[gone]")) as SpanRecord;

async function files(): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((one) => one.isFile() && one.name.endsWith(".jsonl"))
    .map((one) => join(one.parentPath, one.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)));
}

async function holdsSecret(): Promise<boolean> {
  return [...(await files()).values()].some((bytes) => bytes.includes(SECRET));
}

/** What stood in the files before stands there again: as if a crash had come before anything was erased. */
async function bringBack(before: Map<string, Buffer>): Promise<void> {
  for (const [path, now] of await files()) {
    const old = before.get(path);
    if (old !== undefined) await writeFile(path, Buffer.concat([old, now.subarray(old.length)]));
  }
}

test.each<[name: string, call: (store: TraceStore) => Promise<unknown>, again: unknown]>([
  ["deletion", (store) => store.forScope("scope").deleteExecution("run-1"), false],
  ["redaction", (store) => store.forScope("scope").redact(withoutSecret), { executions: 1, spans: 0 }],
])("a %s that a crash broke off is finished when it is tried again", async (_, call, again) => {
  const store = open();
  await store.forScope("scope").write(spans);
  const before = await files();
  await call(store);
  expect(await holdsSecret()).toBe(false);
  await store.close();
  await bringBack(before);
  expect(await holdsSecret()).toBe(true);
  expect(await call(open())).toEqual(again);
  expect(await holdsSecret()).toBe(false);
});

test("a deletion reaches what a crash left of a write that nobody was told of", async () => {
  const store = open();
  await store.forScope("scope").write(spans);
  await store.close();
  const path = [...(await files()).keys()].find((one) => one.includes("/spans/")) ?? "";
  const [line = ""] = (await readFile(path, "utf8")).split("\n");
  // A whole line, and one that was cut off; and one of another trace, which is none of the deletion's business.
  await appendFile(path, `${line.replace('"n":1', '"n":2')}\n`);
  await appendFile(path, line.replaceAll("a".repeat(32), "b".repeat(32)).replaceAll("run-1", "run-2"));
  await appendFile(path, `\n${line.replace('"n":1', '"n":2').slice(0, -20)}`);
  const other = open().forScope("scope");
  expect(await other.deleteExecution("run-1")).toBe(true);
  const left = await readFile(path, "utf8");
  expect(left.match(new RegExp(SECRET, "g"))).toHaveLength(1);
  expect(left).toContain("run-2");
});

test.each([
  ["of the same store", false],
  ["of another store that was open meanwhile", true],
])(
  "a deletion that the disk broke off is finished by the next call, also after earlier ones, %s",
  async (_, fromOther) => {
    const scope = open().forScope("scope");
    const other = open().forScope("scope");
    const alone = makeSpan({
      executionId: "run-2",
      traceId: "b".repeat(32),
      output: textContent("said there"),
    });
    await scope.write(spans);
    await scope.write([alone]);
    // Both have looked through the files by then.
    await other.deleteExecution("run-3");
    await scope.deleteExecution("run-2");
    await other.deleteExecution("run-2");
    // A disk that fails just then cannot be had here.
    const failing = vi.spyOn(LogFiles.prototype, "blank").mockRejectedValue(new Error("EIO"));
    await expect(scope.deleteExecution("run-1")).rejects.toThrow();
    failing.mockRestore();
    expect(await holdsSecret()).toBe(true);
    expect(await (fromOther ? other : scope).deleteExecution("run-1")).toBe(false);
    expect(await holdsSecret()).toBe(false);
  },
);
