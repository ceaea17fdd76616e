import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import type { Problem } from "./problems.ts";
import { collectingSink } from "./sinks.test-support.ts";

/** A host of its own that gets a signal in the middle of a run. Gives how it ended and what it printed. */
async function signalled(host: string, signal: NodeJS.Signals, tracers = 1) {
  const script = `
    import { setTimeout as sleep } from "node:timers/promises";
    import { createWorkflowTracer } from "@spanloom/tracer";
    for (let index = 0; index < ${tracers}; index++) {
      const tracer = createWorkflowTracer({
        store: {
          async write(spans) {
            await sleep(50 * (index + 1));
            console.log("stored", index, spans.map(({ name }) => name).join());
            return { written: spans.length, unchanged: 0, rejected: [] };
          },
        },
        flushOnSignals: ["SIGTERM", "SIGINT"],
        queue: { flushIntervalMs: 60_000 },
      });
      tracer.startExecution({ workflowId: "w" }).startNode({ id: "n" });
    }
    ${host}
    while (!process.listeners("SIGTERM").some((listener) => Symbol.for("spanloom.signal") in listener)) await sleep(1);
    console.log("ready");
    setInterval(() => {}, 60_000);`;
  const args = ["--conditions=@spanloom/source", "--input-type=module", "-e", script];
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!printed.includes("ready") && (printed + text).includes("ready")) child.kill(signal);
    printed += text;
  });
  const [code, endedBy] = await once(child, "close");
  return { code, endedBy, printed: printed.trim().split("\n") };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s: what waits is written, running spans too, and the process ends by the signal",
  async (signal) => {
    expect(await signalled("", signal)).toEqual({
      code: null,
      endedBy: signal,
      printed: ["ready", "stored 0 w,n"],
    });
  },
);

test("with several tracers all are written before the process ends", async () => {
  const { endedBy, printed } = await signalled("", "SIGTERM", 3);
  expect(endedBy).toBe("SIGTERM");
  expect(printed.toSorted()).toEqual(["ready", "stored 0 w,n", "stored 1 w,n", "stored 2 w,n"]);
});

test.each(["on", "once"])(
  "a host that handles the signal (%s) decides when and how to end",
  async (method) => {
    const host = `process.${method}("SIGTERM", async () => {
    console.log("closing");
    await sleep(300);
    console.log("closed");
    process.exit(3);
  });`;
    expect(await signalled(host, "SIGTERM")).toEqual({
      code: 3,
      endedBy: null,
      printed: ["ready", "closing", "stored 0 w,n", "closed"],
    });
  },
);

test("a signal that nobody asked for is left alone", async () => {
  const { endedBy, printed } = await signalled("", "SIGHUP");
  expect(endedBy).toBe("SIGHUP");
  expect(printed).toEqual(["ready"]);
});

test("a signal that no process can handle is told as a problem, and the tracer works", async () => {
  const problems: Problem[] = [];
  const sink = collectingSink();
  const tracer = createWorkflowTracer({
    store: sink,
    flushOnSignals: ["SIGKILL"],
    onProblem: (problem) => void problems.push(problem),
  });
  await expect
    .poll(() => problems)
    .toMatchObject([
      {
        code: "invalid_argument",
        where: "flushOnSignals",
        cause: { message: expect.stringMatching(/SIGKILL.*cannot be handled/) },
      },
    ]);
  tracer.execution({ workflowId: "w" }, () => undefined);
  expect(await tracer.flush()).toBe(true);
});
