import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SpanloomError, type SpanSink } from "@spanloom/model";
import { createMemoryStore } from "@spanloom/store";
import { afterEach, describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "../create-workflow-tracer.ts";
import type { Problem } from "../problems.ts";
import { collectingSink } from "../sinks.test-support.ts";
import {
  createDiskSpool,
  type DeadLetter,
  deadLetterDirectory,
  readDeadLetters,
  redriveDeadLetters,
} from "./index.ts";
import { expectToReconcile } from "./outage.test-support.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "spanloom-spool-"));
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function setUp(
  sink: SpanSink,
  options: Partial<WorkflowTracerOptions> & { directory?: string; mode?: "batched" | "immediate" } = {},
) {
  const { directory = temporaryDirectory(), mode = "batched", ...rest } = options;
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    durability: createDiskSpool({ directory, mode }),
    onProblem: (problem) => void problems.push(problem),
    queue: { flushIntervalMs: 1, writeTimeoutMs: 100 },
    ...rest,
  });
  cleanUps.push(() => tracer.shutdown({ timeoutMs: 0 }));
  const run = (nodes = 3): number =>
    tracer.execution({ workflowId: "w" }, (execution) => {
      let sum = 0;
      for (let index = 0; index < nodes; index++)
        sum += execution.node({ id: `n${index}`, input: "x".repeat(100) }, () => index);
      return sum;
    });
  return { directory, problems, tracer, run };
}

async function lettersIn(directory: string): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of readDeadLetters(directory)) letters.push(letter);
  return letters;
}

const modes = ["batched", "immediate"] as const;

describe.each(modes)("%s: when the store", (mode) => {
  const faults: [string, SpanSink["write"]][] = [
    [
      "throws",
      () => {
        throw new Error("store is broken");
      },
    ],
    ["hangs", () => new Promise(() => undefined)],
    [
      "has a full disk",
      async (spans) => {
        if (!existsSync("/dev/full")) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        await appendFile("/dev/full", JSON.stringify(spans));
        return { written: 0, unchanged: 0, rejected: [] };
      },
    ],
  ];
  test.each(faults)("%s, spans go to the disk, and to the store of the next process", async (_, write) => {
    const { directory, tracer, run } = setUp({ write }, { mode });
    expect(run()).toBe(3);
    await expect.poll(() => tracer.stats()).toMatchObject({ accepted: 4, queued: 0, spilled: 4 });
    expect(await tracer.shutdown({ timeoutMs: 10 })).toBe(false);
    expect(tracer.stats()).toMatchObject({ spilled: 4, dropped: {} });
    expectToReconcile(tracer.stats());

    const store = collectingSink();
    const next = setUp(store, { directory, mode });
    expect(await next.tracer.flush()).toBe(true);
    expect(
      store
        .spans()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["n0", "n1", "n2", "w"]);
    expect(next.tracer.stats()).toEqual({
      accepted: 4,
      recovered: 4,
      stored: 4,
      merged: 0,
      queued: 0,
      spilled: 0,
      deadLettered: 0,
      dropped: {},
    });
    expect(next.problems).toEqual([]);
  });
});

test.each(modes)("%s: what memory has no room for goes to the disk, and nothing is dropped", async (mode) => {
  const store = collectingSink();
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { tracer, run } = setUp(
    { write: (spans) => opened.then(() => store.write(spans)) },
    { mode, queue: { maxBytes: 20_000, flushIntervalMs: 1, writeTimeoutMs: 5_000 } },
  );
  run(60);
  tracer.execution({ workflowId: "huge", input: "y".repeat(50_000) }, () => undefined);
  const { queued, spilled } = tracer.stats();
  expect(spilled).toBeGreaterThan(40);
  expect(queued + spilled).toBe(62);
  expectToReconcile(tracer.stats());
  open();
  expect(await tracer.flush()).toBe(true);
  expect(store.spans()).toHaveLength(62);
  expect(tracer.stats()).toMatchObject({ accepted: 62, stored: 62, spilled: 0, dropped: {} });
});

test("states of a span that were replaced while they waited leave nothing on the disk", async () => {
  const store = collectingSink();
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { directory, tracer } = setUp(
    { write: (spans) => opened.then(() => store.write(spans)) },
    { mode: "immediate", queue: { flushIntervalMs: 5, writeTimeoutMs: 5_000 } },
  );
  const execution = tracer.startExecution({ workflowId: "w" });
  await expect.poll(() => tracer.stats().spilled).toBeGreaterThan(0);
  // It waits behind the batch that hangs.
  const node = execution.startNode({ id: "n" });
  await expect.poll(() => tracer.stats().spilled).toBeGreaterThan(1);
  node.setAttributes({ step: 1 });
  await expect.poll(() => tracer.stats().merged).toBeGreaterThan(0);
  node.end();
  execution.end();
  open();
  expect(await tracer.flush()).toBe(true);
  expect(tracer.stats()).toMatchObject({ queued: 0, spilled: 0, dropped: {} });
  expectToReconcile(tracer.stats());
  await tracer.shutdown();
  expect(globSync(join(directory, "**/*.log"))).toEqual([]);
});

test("a store that keeps up costs no file at all in batched mode", async () => {
  const { directory, tracer, run } = setUp(collectingSink());
  run();
  expect(await tracer.flush()).toBe(true);
  expect(globSync(join(directory, "**/*"))).toEqual([]);
});

test("a record that the store refuses is set apart with the reason, and can be driven again", async () => {
  const store = collectingSink();
  let mended = false;
  const sink: SpanSink = {
    write: (spans) =>
      !mended && spans.some(({ nodeId }) => nodeId === "n1")
        ? Promise.reject(new SpanloomError("invalid_record", { what: "A field is wrong." }))
        : store.write(spans),
  };
  const { directory, tracer, run, problems } = setUp(sink, { mode: "immediate" });
  run();
  expect(await tracer.flush()).toBe(true);
  expect(tracer.stats()).toMatchObject({ accepted: 4, stored: 3, deadLettered: 1, spilled: 0, dropped: {} });
  expect(problems.map(({ code }) => code)).toContain("dead_lettered");

  const letters = deadLetterDirectory({ directory });
  const found = await lettersIn(letters);
  expect(found).toMatchObject([
    {
      code: "invalid_record",
      reason: "A field is wrong.",
      record: { nodeId: "n1", input: { text: "x".repeat(100) } },
    },
  ]);
  expect(await redriveDeadLetters({ directory: letters, sink })).toEqual({ delivered: 0, left: 1 });
  mended = true;
  expect(await redriveDeadLetters({ directory: letters, sink })).toEqual({ delivered: 1, left: 0 });
  expect(store.spans()).toHaveLength(4);
  expect(await lettersIn(letters)).toEqual([]);
});

test("a record that a store refuses by name is set apart with the store's own words", async () => {
  const { directory, tracer, run } = setUp({
    async write(spans) {
      return {
        written: spans.length - 1,
        unchanged: 0,
        rejected: [{ index: 0, code: "limit_exceeded", message: "too many spans" }],
      };
    },
  });
  run();
  await tracer.flush();
  expectToReconcile(tracer.stats());
  const letters = await lettersIn(deadLetterDirectory({ directory }));
  expect(letters).toMatchObject([{ code: "limit_exceeded", reason: "too many spans" }]);
});

test("when the disk itself fails spans wait in memory, the host is told, and the run is the same", async () => {
  const directory = temporaryDirectory();
  // A file where the directory should be fails for every user, root included.
  writeFileSync(join(directory, "taken"), "");
  const store = collectingSink();
  const { tracer, run, problems } = setUp(store, { directory: join(directory, "taken"), mode: "immediate" });
  expect(run()).toBe(3);
  expect(tracer.stats()).toMatchObject({ accepted: 4, queued: 4, spilled: 0 });
  expect(await tracer.flush()).toBe(true);
  expect(store.spans()).toHaveLength(4);
  expect(tracer.stats()).toMatchObject({ stored: 4, dropped: {} });
  expect(problems).toMatchObject([{ code: "log_failed", where: "store" }]);
});

test("a damaged log is reported and counted, and the rest of it is delivered", async () => {
  const { directory, tracer, run } = setUp(
    { write: () => Promise.reject(new Error("down")) },
    { mode: "immediate" },
  );
  run();
  await tracer.shutdown({ timeoutMs: 0 });
  const [file = ""] = globSync(join(directory, "**/*.log/*.log"));
  writeFileSync(file, readFileSync(file, "utf8").replace('"n1"', '"n7"'));
  const store = collectingSink();
  const next = setUp(store, { directory });
  expect(await next.tracer.flush()).toBe(true);
  expect(
    store
      .spans()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["n0", "n2", "w"]);
  expect(next.tracer.stats()).toMatchObject({
    accepted: 4,
    recovered: 4,
    stored: 3,
    dropped: { damaged: 1 },
  });
  expect(next.problems.map(({ code }) => code)).toEqual(["log_damaged"]);
});

test("tenants that share a directory never get each other's spans, whether the tracer or the store names them", async () => {
  const { directory, tracer, run } = setUp(
    { write: () => Promise.reject(new Error("down")) },
    { mode: "immediate", scope: "acme/a" },
  );
  run();
  await tracer.shutdown({ timeoutMs: 0 });
  const store = createMemoryStore();
  const counts = async (options: Partial<WorkflowTracerOptions>): Promise<number> => {
    const { tracer: other } = setUp(store.forScope("unused"), { directory, ...options });
    expect(await other.flush()).toBe(true);
    await other.shutdown();
    return other.stats().recovered;
  };
  expect(await counts({ store, scope: "acme/A" })).toBe(0);
  expect(await counts({ store: store.forScope("acme_a") })).toBe(0);
  expect(await counts({ store: store.forScope("acme/a") })).toBe(4);
});

test("process.exit in the middle of a run loses nothing", () => {
  const directory = temporaryDirectory();
  const script = `
    import { createWorkflowTracer } from "@spanloom/tracer";
    import { createDiskSpool } from "@spanloom/tracer/durable";
    const tracer = createWorkflowTracer({
      store: { write: () => new Promise(() => {}) },
      durability: createDiskSpool({ directory: ${JSON.stringify(directory)} }),
    });
    tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, () => 1));
    process.exit(7);`;
  const options = { cwd: import.meta.dirname, stdio: "pipe" as const };
  expect(() =>
    execFileSync(
      process.execPath,
      ["--conditions=@spanloom/source", "--input-type=module", "-e", script],
      options,
    ),
  ).toThrow(expect.objectContaining({ status: 7 }));
  const lines = globSync(join(directory, "**/*.log/*.log")).flatMap((path) =>
    readFileSync(path, "utf8").trim().split("\n"),
  );
  expect(lines).toHaveLength(2);
});

test("a disk that fills up while spans spill takes whole lines only, and is used again when there is room", async (context) => {
  const directory = temporaryDirectory();
  const mount = (options: string): void => {
    execFileSync(tools.mount, ["-t", "tmpfs", "-o", options, "tmpfs", directory], { stdio: "ignore" });
  };
  try {
    mount("size=200k");
  } catch {
    return context.skip("this user may not mount a small disk");
  }
  cleanUps.push(() => execFileSync(tools.unmount, [directory]));
  let down = true;
  const store = collectingSink();
  const { tracer, run, problems } = setUp(
    {
      write: (spans) =>
        down
          ? Promise.reject(Object.assign(new Error("down"), { code: "ECONNREFUSED" }))
          : store.write(spans),
    },
    { directory, mode: "immediate" },
  );
  for (let index = 0; index < 100; index++) run(4);
  await expect.poll(() => problems.map(({ code }) => code)).toContain("log_failed");
  const { accepted, queued, spilled, dropped } = tracer.stats();
  expect({ accepted, dropped }).toEqual({ accepted: 500, dropped: {} });
  expect(spilled).toBeGreaterThan(100);
  expect(queued).toBeGreaterThan(100);
  mount("remount,size=8m");
  await expect.poll(() => tracer.stats(), { timeout: 5_000 }).toMatchObject({ queued: 0, spilled: 500 });
  down = false;
  expect(await tracer.flush()).toBe(true);
  expect(store.spans()).toHaveLength(500);
  expectToReconcile(tracer.stats());
});

/** Of the operating system, not of a package. */
const tools = { mount: "mount", unmount: "umount" };
