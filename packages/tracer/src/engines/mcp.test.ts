import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { recordProblem } from "@spanloom/model";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { type McpClientOptions, type McpServerOptions, traceMcpClient, traceMcpServer } from "./mcp.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function recorder() {
  const sink = collectingSink();
  const problems: unknown[] = [];
  const onProblem = (problem: unknown): void => void problems.push(problem);
  return { sink, problems, tracer: createWorkflowTracer({ store: sink, onProblem, flushOnExit: false }) };
}

/** A client and a server in one process, each with a tracer of its own. */
async function connected(
  options: { client?: McpClientOptions; server?: McpServerOptions; traced?: boolean } = {},
) {
  const [near, far] = [recorder(), recorder()];
  const server = traceMcpServer(new McpServer({ name: "orders", version: "1" }), far.tracer, options.server);
  let slowCall: (() => void) | undefined;
  const started = new Promise<void>((resolve) => {
    slowCall = resolve;
  });
  const metas: unknown[] = [];
  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }, { _meta }) => {
    metas.push(_meta);
    far.tracer.activeSpan()?.tool({ name: "calculator" }, () => a + b);
    return { content: [{ type: "text", text: String(a + b) }], structuredContent: { sum: a + b } };
  });
  server.registerTool("break", {}, () => {
    throw new Error("The disk is full.");
  });
  server.registerTool("sleep", {}, () => {
    slowCall?.();
    return new Promise(() => undefined);
  });
  server.registerResource("handbook", "docs://handbook", {}, ({ href }) => ({
    contents: [{ uri: href, text: "be kind" }],
  }));
  const client = new Client({ name: "studio", version: "1" });
  if (options.traced !== false) traceMcpClient(client, near.tracer, options.client);
  const [clientEnd, serverEnd] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(serverEnd), client.connect(clientEnd)]);
  cleanUps.push(() => client.close());
  const flushed = async () => {
    await Promise.all([near.tracer.flush(), far.tracer.flush()]);
    const all = [...near.sink.spans(), ...far.sink.spans()];
    expect(all.map(recordProblem).filter((problem) => problem !== undefined)).toEqual([]);
    expect([...near.problems, ...far.problems]).toEqual([]);
  };
  return { client, server, near, far, flushed, started, metas };
}

test("a tool call is a tool span; the server's handler runs below it in the same execution, its content stands once", async () => {
  const { client, near, far, flushed } = await connected();
  const result = await near.tracer.execution({ workflowId: "w", executionId: "run-1" }, (execution) =>
    execution.node({ id: "sum" }, () => client.callTool({ name: "add", arguments: { a: 1, b: 2 } })),
  );
  await flushed();
  expect(result.structuredContent).toEqual({ sum: 3 });
  const call = near.sink.span("add");
  expect(call).toMatchObject({
    kind: "tool",
    nodeId: "sum",
    parentSpanId: near.sink.span("sum").spanId,
    input: { json: { a: 1, b: 2 } },
    output: { json: { sum: 3 } },
    attributes: { "mcp.method.name": "tools/call", "mcp.server.name": "orders" },
  });
  const served = far.sink.span("serve add");
  const shared = { traceId: call.traceId, executionId: "run-1", workflowId: "w", nodeId: "sum" };
  expect(served).toMatchObject({ ...shared, kind: "internal", parentSpanId: call.spanId });
  expect(served.input ?? served.output).toBeUndefined();
  expect(far.sink.span("calculator")).toMatchObject({ ...shared, parentSpanId: served.spanId });
});

test("a tool that fails says so in its result: both spans fail, and the caller still gets the result", async () => {
  const { client, near, far, flushed } = await connected();
  const result = await near.tracer.execution({ workflowId: "w" }, () => client.callTool({ name: "break" }));
  await flushed();
  expect(result).toMatchObject({ isError: true, content: [{ text: "The disk is full." }] });
  for (const span of [near.sink.span("break"), far.sink.span("serve break")])
    expect(span.status).toEqual({ code: "error", message: "The disk is full." });
  expect(near.sink.span("w").executionStatus).toBe("completed");
});

test("what the protocol refuses fails with the SDK's own error", async () => {
  const { client, near, far, flushed } = await connected();
  const read = near.tracer.execution({ workflowId: "w" }, () =>
    client.readResource({ uri: "docs://absent" }),
  );
  await expect(read).rejects.toMatchObject({ code: -32602 });
  await flushed();
  expect(near.sink.span("resources/read").status).toMatchObject({ code: "error", message: /not found/ });
  expect(far.sink.span("serve resources/read").status).toMatchObject({ code: "error", message: /not found/ });
});

test("a resource that is read is a span with its content", async () => {
  const { client, near, flushed } = await connected();
  await near.tracer.execution({ workflowId: "w" }, () => client.readResource({ uri: "docs://handbook" }));
  await flushed();
  expect(near.sink.span("resources/read")).toMatchObject({
    attributes: { "mcp.resource.uri": "docs://handbook" },
    output: { json: [{ uri: "docs://handbook", text: "be kind" }] },
  });
});

test("a call that is aborted is cancelled on both sides", async () => {
  const { client, near, far, flushed, started } = await connected();
  const aborter = new AbortController();
  const call = near.tracer.execution({ workflowId: "w" }, () =>
    client.callTool({ name: "sleep" }, undefined, { signal: aborter.signal }),
  );
  await started;
  aborter.abort();
  await expect(call).rejects.toThrow();
  await flushed();
  expect(near.sink.span("sleep").status).toMatchObject({ code: "error", message: /^cancelled/ });
  expect(far.sink.span("serve sleep").status).toMatchObject({ code: "error", message: /^cancelled/ });
});

test("a connection that closes ends what was being handled", async () => {
  const { client, near, far, flushed, started } = await connected();
  const call = near.tracer.execution({ workflowId: "w" }, () => client.callTool({ name: "sleep" }));
  await started;
  await client.close();
  await expect(call).rejects.toThrow(/closed/);
  await flushed();
  expect(near.sink.span("sleep").status.code).toBe("error");
  expect(far.sink.span("serve sleep").status.message).toMatch(/connection was closed/);
});

test("requests carry the trace and keep what the host put into _meta; a stranger's server gets no ids", async () => {
  const { client, near, metas } = await connected({ client: { baggage: false } });
  await near.tracer.execution({ workflowId: "w" }, () =>
    client.callTool({ name: "add", arguments: { a: 1, b: 1 }, _meta: { tenant: "t" } }),
  );
  await near.tracer.flush();
  const { traceId, spanId } = near.sink.span("add");
  expect(metas).toEqual([{ tenant: "t", traceparent: `00-${traceId}-${spanId}-01` }]);
});

test("outside spans the client adds nothing; such calls are executions of the server's own, where it says so", async () => {
  const silent = await connected();
  await silent.client.callTool({ name: "add", arguments: { a: 1, b: 1 } });
  await silent.flushed();
  expect(silent.metas).toEqual([undefined]);
  expect([...silent.near.sink.spans(), ...silent.far.sink.spans()]).toEqual([]);

  const own = await connected({ traced: false, server: { workflowId: "orders-server" } });
  await own.client.callTool({ name: "add", arguments: { a: 1, b: 1 } });
  await own.client.callTool({ name: "break" });
  await own.flushed();
  const [root, failed] = own.far.sink.spans().filter(({ kind }) => kind === "workflow");
  expect(root).toMatchObject({ workflowId: "orders-server", executionStatus: "completed" });
  expect(failed).toMatchObject({ executionStatus: "failed" });
  expect(own.far.sink.span("add")).toMatchObject({
    kind: "tool",
    parentSpanId: root?.spanId,
    input: { json: { a: 1, b: 1 } },
    output: { json: { sum: 2 } },
  });
});

test("a caller that others trace is joined, and what it does not keep is kept here", async () => {
  const { client, far, flushed } = await connected({ traced: false });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await client.callTool({ name: "add", arguments: { a: 2, b: 3 }, _meta: { traceparent } });
  await flushed();
  expect(far.sink.span("add")).toMatchObject({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    parentSpanId: "b7ad6b7169203331",
    kind: "tool",
    input: { json: { a: 2, b: 3 } },
    output: { json: { sum: 5 } },
  });
});

test("over stdio, client and server write one trace into one store", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spanloom-mcp-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "traces.db");
  const store = createSqliteStore({ path, retention: false });
  cleanUps.push(() => store.close());
  const tracer = createWorkflowTracer({ store, flushOnExit: false });
  const program = fileURLToPath(new URL("mcp-server.test-support.ts", import.meta.url));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ["--conditions=@spanloom/source", program, path],
  });
  const client = traceMcpClient(new Client({ name: "studio", version: "1" }), tracer);
  await client.connect(transport);
  await tracer.execution({ workflowId: "w", executionId: "run-1" }, (execution) =>
    execution.node({ id: "find" }, async () => {
      await client.callTool({ name: "find_order", arguments: { id: 7 } });
      await client.callTool({ name: "find_order", arguments: { id: -7 } });
    }),
  );
  await client.close();
  await tracer.flush();
  const trace = await store.forScope("default").getTrace("run-1", { view: "full" });
  const spans = trace?.spans ?? [];
  const below = (name: string, parent: string | undefined) =>
    spans.filter((span) => span.name === name && span.parentSpanId === parent);
  const tools = spans.filter(({ name }) => name === "find_order");
  expect(tools.map(({ status }) => status.code)).toEqual(["unset", "error"]);
  for (const { spanId } of tools) {
    const [served] = below("serve find_order", spanId);
    expect(served).toMatchObject({
      nodeId: "find",
      resource: { attributes: { "service.name": "orders-mcp" } },
    });
    expect(below("read order", served?.spanId)).toHaveLength(1);
  }
});
