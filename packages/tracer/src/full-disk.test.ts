import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Annotation, START, StateGraph } from "@langchain/langgraph";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { afterEach, expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import { traceLangGraph } from "./engines/langgraph.ts";
import type { Problem } from "./problems.ts";

/** Of the operating system, not of a package. */
const tools = { mount: "mount", unmount: "umount" };

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A disk of its own, so small that a store fills it; `undefined` where this user may not mount one. */
function smallDisk(megabytes: number): { path: string; grow: (megabytes: number) => void } | undefined {
  const path = mkdtempSync(join(tmpdir(), "spanloom-disk-"));
  cleanUps.push(() => rmSync(path, { recursive: true, force: true }));
  const mount = (options: string): void => {
    execFileSync(tools.mount, ["-t", "tmpfs", "-o", options, "tmpfs", path], { stdio: "ignore" });
  };
  try {
    mount(`size=${megabytes}m`);
  } catch {
    return undefined;
  }
  cleanUps.push(() => execFileSync(tools.unmount, [path]));
  return { path, grow: (size) => mount(`remount,size=${size}m`) };
}

const State = Annotation.Root({ document: Annotation<string>(), length: Annotation<number>() });

const graph = new StateGraph(State)
  .addNode("measure", async ({ document }) => ({ length: document.length }))
  .addEdge(START, "measure")
  .compile();

test("a LangGraph run is the same when its SQLite file's disk is full; when there is room again, nothing that waited is lost", async (context) => {
  const disk = smallDisk(2);
  if (disk === undefined) return context.skip("this user may not mount a small disk");
  const store = createSqliteStore({ path: join(disk.path, "traces.db"), retention: false });
  cleanUps.push(() => store.close());
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({ store, onProblem: (problem) => void problems.push(problem) });
  const traced = traceLangGraph(graph, tracer, { workflowId: "measure" });

  let runs = 0;
  while (problems.length === 0 && runs < 40) {
    // Text that does not repeat, so that nothing packs it away.
    const document = Array.from({ length: 10_000 }, (_, index) => `${runs}.${index}`).join(" ");
    expect(await traced.invoke({ document })).toEqual(await graph.invoke({ document }));
    runs++;
    await tracer.flush({ timeoutMs: 1_000 });
  }
  expect(problems[0]).toMatchObject({
    code: "delivery_failed",
    where: "store",
    cause: { code: "store_full" },
  });
  const full = tracer.stats();
  expect(full.queued).toBeGreaterThan(0);
  expect(full.accepted).toBe(full.stored + full.merged + full.queued);
  const scoped = store.forScope("default");
  expect((await scoped.listExecutions({ limit: 50 })).items.length).toBeGreaterThan(0);

  disk.grow(64);
  expect(await tracer.flush({ timeoutMs: 20_000 })).toBe(true);
  expect((await scoped.listExecutions({ limit: 50 })).items).toHaveLength(runs);
  expect(tracer.stats()).toMatchObject({ queued: 0, dropped: {} });
});
