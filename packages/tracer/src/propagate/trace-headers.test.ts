import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { context, createTraceState, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { recordProblem } from "@spanloom/model";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { joinTrace } from "./join.ts";
import { traceHeaders } from "./trace-headers.ts";

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

function setUp() {
  const sink = collectingSink();
  return {
    sink,
    tracer: createWorkflowTracer({ store: sink, flushOnExit: false, onProblem: () => undefined }),
  };
}

test("a request over HTTP carries the span to a service with a tracer of its own", async () => {
  const caller = setUp();
  const callee = setUp();
  const server = createServer((request, response) => {
    joinTrace(callee.tracer, request.headers, { name: "GET /order", kind: "http" }, (span) => {
      span.tool({ name: "read order" }, () => 1);
      response.end(JSON.stringify(traceHeaders(span)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/order`;
  const onward = await caller.tracer.execution({ workflowId: "w", executionId: "run-1" }, (execution) =>
    execution.node({ id: "fetch" }, async (node) => {
      const answer = await fetch(url, { headers: { ...traceHeaders(node) } });
      return (await answer.json()) as Record<string, string>;
    }),
  );
  server.close();
  await Promise.all([caller.tracer.flush(), callee.tracer.flush()]);
  const node = caller.sink.span("fetch");
  const request = callee.sink.span("GET /order");
  expect(request).toMatchObject({
    traceId: node.traceId,
    parentSpanId: node.spanId,
    executionId: "run-1",
    nodeId: "fetch",
    kind: "http",
  });
  expect(callee.sink.span("read order").parentSpanId).toBe(request.spanId);
  expect(onward.traceparent).toBe(`00-${node.traceId}-${request.spanId}-01`);
});

test("a trace that others started goes on, their state and baggage with it; the store finds out whose it is", async () => {
  const { sink, tracer } = setUp();
  const from = new Headers({
    traceparent: "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-a-later-version-adds",
    tracestate: "vendor=abc,other=1",
    baggage: "tenant=caf%C3%A9;ttl=3, broken, bad=%zz ,x=1",
  });
  const onward = joinTrace(tracer, from, { name: "serve" }, (span) => traceHeaders(span));
  await tracer.flush();
  expect(sink.span("serve")).toMatchObject({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    parentSpanId: "b7ad6b7169203331",
    executionId: "0af7651916cd43dd8448eb211c80319c",
    traceState: "vendor=abc,other=1",
  });
  expect(recordProblem(sink.span("serve"))).toBeUndefined();
  expect(onward).toEqual({
    traceparent: `00-0af7651916cd43dd8448eb211c80319c-${sink.span("serve").spanId}-01`,
    tracestate: "vendor=abc,other=1",
    baggage: "tenant=caf%C3%A9;ttl=3,x=1",
  });
});

const ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test.each<[string, Record<string, unknown>]>([
  ["nothing", {}],
  ["text", { traceparent: "yes please" }],
  ["zeros for ids", { traceparent: `00-${"0".repeat(32)}-${SPAN}-01` }],
  ["capitals", { traceparent: `00-${ID.toUpperCase()}-${SPAN}-01` }],
  ["a version that cannot be", { traceparent: `ff-${ID}-${SPAN}-01` }],
  ["more than version 00 has", { traceparent: `00-${ID}-${SPAN}-01-more` }],
  ["two of them", { traceparent: [`00-${ID}-${SPAN}-01`, `00-${ID}-${SPAN}-01`] }],
  ["a number", { traceparent: 7 }],
  [
    "a getter that throws",
    {
      get traceparent() {
        throw new Error("no");
      },
    },
  ],
])("what cannot be read is not joined (%s): the work is an execution of its own", async (_name, from) => {
  const { sink, tracer } = setUp();
  joinTrace(tracer, from, { name: "serve", workflowId: "orders" }, () => undefined);
  await tracer.flush();
  expect(sink.span("serve")).toMatchObject({ workflowId: "orders", executionStatus: "completed" });
  expect(sink.span("serve").traceId).not.toBe(ID);
});

test("ids from outside that no store would take are left out, and endless baggage is cut", async () => {
  const { sink, tracer } = setUp();
  const own = ["execution.id=..", `workflow.id=${"x".repeat(300)}`, "node.id=n", "node.attempt=-4"];
  const baggage = [...own.map((member) => `spanloom.${member}`), `long=${"y".repeat(9_000)}`, "late=1"].join(
    ",",
  );
  const onward = joinTrace(
    tracer,
    { traceparent: `00-${ID}-${SPAN}-01`, baggage },
    { name: "serve" },
    traceHeaders,
  );
  await tracer.flush();
  const span = sink.span("serve");
  expect(span).toMatchObject({ executionId: ID, nodeId: "n", attempt: 1 });
  expect(span.workflowId).toBeUndefined();
  expect(recordProblem(span)).toBeUndefined();
  expect(onward.baggage).toBe("spanloom.node.id=n,spanloom.node.attempt=1");
});

test("the host's own baggage and trace state travel along, within the standard's length", async () => {
  const { tracer } = setUp();
  const host = propagation.createBaggage({ tenant: { value: "a b" }, big: { value: "x".repeat(9_000) } });
  const caller = { traceId: ID, spanId: SPAN, traceFlags: 1, traceState: createTraceState("vendor=1") };
  const around = trace.setSpanContext(propagation.setBaggage(context.active(), host), caller);
  const headers = context.with(around, () =>
    tracer.execution({ workflowId: "w", executionId: "e\ud800", joinActiveTrace: true }, traceHeaders),
  );
  expect(headers.tracestate).toBe("vendor=1");
  expect(headers.baggage).toBe("spanloom.execution.id=e%EF%BF%BD,spanloom.workflow.id=w,tenant=a%20b");
});

test("options that cannot be read cost the span its name, not the host its work", async () => {
  const { sink, tracer } = setUp();
  const options = {
    get name(): string {
      throw new Error("no");
    },
  };
  expect(joinTrace(tracer, { traceparent: `00-${ID}-${SPAN}-01` }, options, () => 7)).toBe(7);
  // @ts-expect-error a host without types may pass anything
  expect(joinTrace(tracer, undefined, undefined, () => 8)).toBe(8);
  await tracer.flush();
  expect(sink.spans()).toHaveLength(2);
});
