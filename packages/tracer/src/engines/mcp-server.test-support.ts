// A server of tools over stdio, as a program of its own: `node mcp-server.test-support.ts traces.db`.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { z } from "zod";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { traceMcpServer } from "./mcp.ts";

const store = createSqliteStore({ path: process.argv[2] ?? "traces.db", retention: false });
const tracer = createWorkflowTracer({ store, serviceName: "orders-mcp" });
const server = traceMcpServer(new McpServer({ name: "orders", version: "1.0.0" }), tracer);

server.registerTool("find_order", { inputSchema: { id: z.number() } }, async ({ id }) => {
  tracer.activeSpan()?.span({ kind: "retriever", name: "read order" }, () => undefined);
  if (id < 0) throw new Error(`There is no order ${id}.`);
  await tracer.flush();
  return { content: [{ type: "text", text: `order ${id}` }] };
});

const transport = new StdioServerTransport();
await server.connect(transport);
process.stdin.once("end", async () => {
  await server.close();
  await tracer.shutdown();
  await store.close();
});
