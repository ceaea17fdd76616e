import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { SpanRecord } from "@spanloom/model";
import { decodeOtlp } from "@spanloom/model/otlp";
import { afterEach, expect, test, vi } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "../create-workflow-tracer.ts";
import type { Problem } from "../problems.ts";
import { collectingSink } from "../sinks.test-support.ts";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

interface Post {
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A real collector's front door on loopback; `answer` plays its moods. */
async function collector(answer: (response: ServerResponse, count: number) => void) {
  const posts: Post[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { url, headers } = request;
    const bytes = Buffer.concat(chunks);
    const body = headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
    posts.push({ url, headers, body: body.toString() });
    answer(response, posts.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const spans = (): SpanRecord[] => posts.flatMap(({ body }) => decodeOtlp(JSON.parse(body)).spans);
  return { posts, spans, url: `http://127.0.0.1:${port}/v1/traces` };
}

function setUp(otlp: WorkflowTracerOptions["otlp"]) {
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({
    store: collectingSink(),
    otlp,
    queue: { flushIntervalMs: 1 },
    onProblem: (problem) => void problems.push(problem),
  });
  cleanUps.push(() => tracer.shutdown({ timeoutMs: 0 }));
  const run = (): void => {
    tracer.execution({ workflowId: "w" }, (execution) =>
      execution.node({ id: "n" }, (node) =>
        node.llm({ model: "gpt-4.1-mini", provider: "openai", input: "the prompt" }, (llm) => {
          llm.setUsage({ input: 10, output: 2 }).setAttributes({ api_key: "sk-proj-abcdefghijklmnop1234" });
          return "the answer";
        }),
      ),
    );
  };
  return { tracer, problems, run };
}

test("ended spans reach a collector as OTLP/JSON, with gen_ai figures and without content or secrets", async () => {
  const { posts, spans, url } = await collector((response) => response.end("{}"));
  const { tracer, run } = setUp({ url, headers: { authorization: "Bearer t" } });
  run();
  expect(await tracer.flush()).toBe(true);
  expect(posts[0]).toMatchObject({
    url: "/v1/traces",
    headers: { authorization: "Bearer t", "content-type": "application/json" },
  });
  expect(
    spans()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["gpt-4.1-mini", "n", "w"]);
  const all = posts.map(({ body }) => body).join();
  expect(all).toContain('"gen_ai.usage.input_tokens"');
  expect(all).not.toContain("the prompt");
  expect(all).not.toContain("the answer");
  expect(all).not.toContain("abcdefghijklmnop1234");
  expect(tracer.stats().otlp).toEqual({
    accepted: 3,
    recovered: 0,
    stored: 3,
    merged: 0,
    queued: 0,
    spilled: 0,
    deadLettered: 0,
    dropped: {},
  });
});

test("a post is packed when the host or the environment says so, and the spans are the same", async () => {
  const { posts, spans, url } = await collector((response) => response.end("{}"));
  const asked = setUp({ url, compression: "gzip" });
  asked.run();
  expect(await asked.tracer.flush()).toBe(true);
  vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", " gzip");
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "");
  const told = setUp({ url });
  told.run();
  expect(await told.tracer.flush()).toBe(true);
  const refused = setUp({ url, compression: "none" });
  refused.run();
  expect(await refused.tracer.flush()).toBe(true);
  expect(posts.map(({ headers }) => headers["content-encoding"])).toEqual(["gzip", "gzip", undefined]);
  expect(spans()).toHaveLength(9);
});

test("content goes along when the host says so", async () => {
  const { spans, url } = await collector((response) => response.end());
  const { tracer, run } = setUp({ url, content: true });
  run();
  await tracer.flush();
  expect(spans().find(({ kind }) => kind === "llm")).toMatchObject({
    input: { text: "the prompt" },
    output: { text: "the answer" },
  });
});

test("a collector that is busy gets the spans later, and not before it asked to", async () => {
  const times: number[] = [];
  const { spans, url } = await collector((response, count) => {
    times.push(performance.now());
    response.writeHead(count === 1 ? 503 : 200, count === 1 ? { "retry-after": "0.3" } : {}).end();
  });
  const { tracer, problems, run } = setUp({ url });
  run();
  await expect.poll(() => tracer.stats().otlp?.stored, { timeout: 5_000 }).toBe(3);
  expect(spans().slice(3)).toHaveLength(3);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(290);
  expect(problems).toMatchObject([
    { code: "delivery_failed", where: "otlp", cause: { code: "network_failed" } },
  ]);
});

test("spans that a collector refuses are counted, not sent again", async () => {
  const { posts, url } = await collector((response) =>
    response.end(JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "no" } })),
  );
  const { tracer, run } = setUp({ url });
  run();
  expect(await tracer.flush()).toBe(true);
  expect(posts).toHaveLength(1);
  expect(tracer.stats().otlp).toMatchObject({ stored: 1, dropped: { rejected: 2 } });
});

test("when the collector is away the store still gets everything and the host is told", async () => {
  const { tracer, problems, run } = setUp({ url: "http://127.0.0.1:1/v1/traces" });
  run();
  expect(await tracer.flush({ timeoutMs: 200 })).toBe(false);
  expect(tracer.stats()).toMatchObject({ stored: 3, queued: 0, otlp: { stored: 0, queued: 3 } });
  expect(problems).toMatchObject([{ code: "delivery_failed", where: "otlp" }]);
});
