import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "../create-workflow-tracer.ts";
import type { Problem } from "../problems.ts";
import { collectingSink } from "../sinks.test-support.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function collector() {
  const posts: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    posts.push({ url: request.url, headers: request.headers });
    request.resume().on("end", () => response.end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return { posts, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function run(variables: Record<string, string>, options: Partial<WorkflowTracerOptions> = {}) {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const sink = collectingSink();
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    onProblem: (problem) => void problems.push(problem),
    ...options,
  });
  cleanUps.push(() => tracer.shutdown({ timeoutMs: 0 }));
  tracer.execution({ workflowId: "w" }, (execution) => {
    execution
      .addEvent("one")
      .addEvent("two")
      .setAttributes({ long: "abcdef", list: ["abcdef"], size: 123456 });
  });
  await tracer.flush({ timeoutMs: 1_000 });
  return { sink, problems, tracer };
}

test("service name and resource attributes come from the environment; options stand before them", async () => {
  const variables = {
    OTEL_SERVICE_NAME: "billing",
    OTEL_RESOURCE_ATTRIBUTES:
      "service.name=other,team=red%20team,deployment.environment.name=prod,broken,%ZZ=1",
  };
  const { sink } = await run(variables);
  expect(sink.span("w").resource.attributes).toEqual({
    "service.name": "billing",
    team: "red team",
    "deployment.environment.name": "prod",
  });
  const { sink: other } = await run(variables, { serviceName: "mine", environment: "test" });
  expect(other.span("w").resource.attributes).toMatchObject({
    "service.name": "mine",
    "deployment.environment.name": "test",
  });
});

test("OTEL_SDK_DISABLED switches recording off, unless code says otherwise", async () => {
  expect((await run({ OTEL_SDK_DISABLED: "TRUE" })).sink.spans()).toEqual([]);
  expect((await run({ OTEL_SDK_DISABLED: "true" }, { enabled: true })).sink.spans()).toHaveLength(1);
});

test("limits cut attribute values and count what they leave out", async () => {
  const { sink } = await run({
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "4",
    OTEL_SPAN_EVENT_COUNT_LIMIT: "1",
  });
  expect(sink.span("w")).toMatchObject({
    attributes: { long: "abcd", list: ["abcd"], size: 123456 },
    events: [{ name: "one" }],
    dropped: { events: 1 },
  });
});

test("an OTLP endpoint of the environment gets the spans, with its headers", async () => {
  const { posts, origin } = await collector();
  await run({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${origin}/base/`,
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=general,x-team=a%20b",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=traces",
  });
  expect(posts).toMatchObject([{ url: "/base/v1/traces", headers: { "x-key": "traces", "x-team": "a b" } }]);
  await run(
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${origin}/exact` },
    { otlp: { headers: { "x-key": "code" } } },
  );
  expect(posts[1]).toMatchObject({ url: "/exact", headers: { "x-key": "code", "x-team": "a b" } });
});

test("nothing is sent to the environment's endpoint when exporting is off, refused in code, or needs gRPC", async () => {
  const { posts, origin } = await collector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", origin);
  await run({ OTEL_TRACES_EXPORTER: "none" });
  vi.stubEnv("OTEL_TRACES_EXPORTER", undefined);
  await run({}, { otlp: false });
  const { problems } = await run({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  expect(problems).toMatchObject([
    { code: "invalid_argument", where: "environment", message: expect.stringContaining("grpc") },
  ]);
  const { problems: others } = await run({
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318",
  });
  expect(others).toMatchObject([{ message: expect.stringContaining("not an http or https URL") }]);
  expect(posts).toEqual([]);
});

test("a collector that hangs is given up after the environment's time-out", async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(
    () => server.closeAllConnections(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  const { problems } = await run({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: "50",
  });
  expect(problems).toMatchObject([
    { code: "delivery_failed", where: "otlp", cause: { message: expect.stringContaining("50 ms") } },
  ]);
});
