import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { SpanRecord } from "@spanloom/model";
import { recordProblem } from "@spanloom/model";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { tracedExecFile, tracedSpawn, tracedStdio, traceEnv } from "./child-process.ts";

const child = fileURLToPath(new URL("child.test-support.ts", import.meta.url));
const sources = "--conditions=@spanloom/source";

function setUp() {
  const sink = collectingSink();
  return { sink, tracer: createWorkflowTracer({ store: sink }) };
}

test("a Node child joins with one call: the same execution, below the process's span, at the same node", async () => {
  const { sink, tracer } = setUp();
  const records = await tracer.execution(
    { workflowId: "convert-docs", workflowName: "Convert, 100 % ✓", executionId: "run 7", threadId: "t;1" },
    (execution) =>
      execution.node({ id: "pages", type: "cli", attempt: 2 }, async (node) => {
        const { stdout } = await tracedExecFile(node, process.execPath, [sources, child]);
        return JSON.parse(stdout) as SpanRecord[];
      }),
  );
  await tracer.flush();
  const process_ = sink.span("node");
  expect(process_).toMatchObject({
    parentSpanId: sink.span("pages").spanId,
    attributes: { "process.exit.code": 0 },
  });
  expect(records.map(recordProblem)).toEqual([undefined, undefined]);
  const [convert, page] = ["convert", "page"].map((name) => records.find((span) => span.name === name));
  const shared = {
    traceId: process_.traceId,
    executionId: "run 7",
    workflowId: "convert-docs",
    workflowName: "Convert, 100 % ✓",
    threadId: "t;1",
    nodeId: "pages",
    nodeType: "cli",
    attempt: 2,
  };
  expect(convert).toMatchObject({ ...shared, kind: "internal", parentSpanId: process_.spanId });
  expect(page).toMatchObject({ ...shared, kind: "tool", parentSpanId: convert?.spanId });
  // Only the process that started the execution says how it ends.
  expect(records.every(({ executionStatus }) => executionStatus === undefined)).toBe(true);
});

test("a child in any language finds the trace in plain variables", async () => {
  const { tracer } = setUp();
  const { traceUuid, spanId, variables } = await tracer.execution({ workflowId: "w" }, async (execution) => {
    const script = 'echo "$TRACEPARENT|$TRACE_ID|$SPAN_ID|$KEPT|$TRACESTATE"';
    const options = {
      env: traceEnv(execution, { KEPT: "yes", TRACESTATE: "stale=1", PATH: process.env.PATH }),
    };
    const shell = await tracedExecFile(undefined, "sh", ["-c", script], options);
    return { traceUuid: execution.traceUuid, spanId: execution.spanId, variables: shell.stdout.trim() };
  });
  const traceId = traceUuid.replaceAll("-", "");
  expect(variables).toBe(`00-${traceId}-${spanId}-01|${traceUuid}|${spanId}|yes|`);
});

test("without a span, or with a tracer that is off, the environment is as it came", () => {
  const env = { TRACEPARENT: "above", TRACE_ID: "above" };
  expect(traceEnv(undefined, env)).toEqual(env);
  const off = createWorkflowTracer({ store: collectingSink(), enabled: false });
  expect(traceEnv(off.startExecution({ workflowId: "w" }), env)).toEqual(env);
});

test("spawn gives the child process itself; how it ended is on its span, its arguments are not", async () => {
  const { sink, tracer } = setUp();
  const output = await tracer.execution({ workflowId: "w" }, async (execution) => {
    const echo = tracedSpawn(execution, "sh", ["-c", "echo $SPAN_ID; exit 3 # --password=hunter2"]);
    const [said] = await Promise.all([text(echo.stdout), once(echo, "close")]);
    return said.trim();
  });
  await tracer.flush();
  const span = sink.span("sh");
  expect(output).toBe(span.spanId);
  expect(span).toMatchObject({
    status: { code: "error", message: "sh exited with code 3." },
    attributes: { "process.exit.code": 3, "process.executable.name": "sh" },
  });
  expect(JSON.stringify(sink.writes)).not.toContain("hunter2");
});

test("a process that is stopped is cancelled; one that cannot start fails; the host still gets both errors", async () => {
  const { sink, tracer } = setUp();
  const aborter = new AbortController();
  await tracer.execution({ workflowId: "w" }, async (execution) => {
    const sleeping = tracedExecFile(execution, "sleep", ["60"], { signal: aborter.signal });
    aborter.abort();
    await expect(sleeping).rejects.toMatchObject({ name: "AbortError" });
    const absent = tracedSpawn(execution, "/no/such/program");
    const [error] = await once(absent, "error");
    expect(error).toMatchObject({ code: "ENOENT" });
  });
  await tracer.flush();
  expect(sink.span("sleep").status).toMatchObject({ code: "error", message: /^cancelled/ });
  expect(sink.span("program").status).toMatchObject({ code: "error", message: /ENOENT/ });
});

test("an error that nobody listens for is thrown as without tracing", async () => {
  const { tracer } = setUp();
  const script = `
    import { createWorkflowTracer } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    import { tracedSpawn } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
    const tracer = createWorkflowTracer({ store: { write: async () => ({ written: 0, unchanged: 0, rejected: [] }) } });
    tracedSpawn(tracer.startExecution({ workflowId: "w" }), "/no/such/program");`;
  const args = [sources, "--input-type=module", "-e", script];
  const crash = tracer.startExecution({ workflowId: "w" });
  await expect(tracedExecFile(crash, process.execPath, args)).rejects.toMatchObject({
    stderr: expect.stringContaining("ENOENT"),
  });
});

test("the parameters of an MCP stdio server get the variables and nothing else of this process", () => {
  const { tracer } = setUp();
  const span = tracer.startExecution({ workflowId: "w" });
  const { env, ...rest } = tracedStdio(span, { command: "node", args: ["server.js"], env: { MODE: "x" } });
  expect(rest).toEqual({ command: "node", args: ["server.js"] });
  expect(Object.keys(env).toSorted()).toEqual(["BAGGAGE", "MODE", "SPAN_ID", "TRACEPARENT", "TRACE_ID"]);
  expect(tracedStdio(undefined, { command: "node" })).toEqual({ command: "node", env: {} });
});
