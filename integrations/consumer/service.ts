// A host's service as the READMEs have it: records, serves the panels' REST, and serves the built page under a strict
// Content-Security-Policy. Prints what it has done as one line of JSON.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { createHandler } from "@spanloom/server";
import { createNodeListener } from "@spanloom/server/node";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer } from "@spanloom/tracer";
import { traceLangGraph } from "@spanloom/tracer/langgraph";
import { z } from "zod";

const store = createSqliteStore({ path: "traces.db" });
const tracer = createWorkflowTracer({ store, scope: "acme", serviceName: "billing" });

const State = new StateSchema({ text: z.string(), verdict: z.string().optional() });
const graph = traceLangGraph(
  new StateGraph(State)
    .addNode("extract", ({ text }) => ({ text: text.trim() }))
    .addNode("judge", () => ({ verdict: "approved" }))
    .addEdge(START, "extract")
    .addEdge("extract", "judge")
    .addEdge("judge", END)
    .compile(),
  tracer,
  { workflowId: "invoice-review" },
);

const messages = [{ role: "user", content: "Is invoice 1042 in order?" }];
const answer = await tracer.execution(
  { workflowId: "invoice-triage", input: { invoice: 1042, api_key: "hunter2-hunter2" } },
  (execution) =>
    execution.node({ id: "extract" }, (node) =>
      node.llm({ model: "gpt-4.1-mini", provider: "openai", input: messages }, async (llm) => {
        llm.setUsage({ input: 120, output: 30 });
        return "yes";
      }),
    ),
);
const failure = await tracer
  .execution({ workflowId: "invoice-export" }, async () => {
    throw new Error("the ledger is closed");
  })
  .catch((error: unknown) => String(error));
const { verdict } = await graph.invoke({ text: " 1042 " });
const delivered = await tracer.flush();

const listener = createNodeListener(
  createHandler({
    store,
    basePath: "/api/spanloom",
    readOnly: true,
    authorize: (request) =>
      request.headers.get("cookie") === "user=nobody"
        ? { status: 401 }
        : { scope: "acme", roles: ["operator"], content: true },
  }),
);

const contentTypes: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};
const server = createServer((request, response) => {
  const path = request.url ?? "/";
  if (path.startsWith("/api/spanloom")) return listener(request, response);
  const file = path === "/" ? "/index.html" : path;
  readFile(join("dist", file)).then(
    (body) => {
      response.writeHead(200, {
        "content-type": contentTypes[extname(file)] ?? "application/octet-stream",
        "content-security-policy": "default-src 'self'; style-src 'self'; script-src 'self'",
      });
      response.end(body);
    },
    () => response.writeHead(404).end(),
  );
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  console.log(JSON.stringify({ url, answer, failure, verdict, delivered, stats: tracer.stats() }));
});
