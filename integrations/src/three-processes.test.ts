import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunMetrics, SpanRecord } from "@spanloom/model";
import { aiSdkTelemetry } from "@spanloom/tracer/ai-sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createAgentModel } from "../../examples/studio/models/create-models.ts";
import { SCOPE } from "../../examples/studio/server/access.ts";
import { createHandbookConnection } from "../../examples/studio/server/handbook-connection.ts";
import { openTracing } from "../../examples/studio/server/observability.ts";
import { createShelves } from "../../examples/studio/server/shelf.ts";
import { answerAtDesk } from "../../examples/studio/workflows/question-desk.ts";
import { type RunningRedis, startRedis } from "../../scripts/redis-server.ts";

const TREE = "amtp:mcp:tree:*";
const BLOB = "amtp:mcp:blob:*";

let folder = "";
let redis: RunningRedis | { missing: string };

beforeAll(async () => {
  redis = await startRedis();
}, 240_000);
afterAll(async () => {
  if ("url" in redis) await redis.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-desk-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Answers the question twice, with a tool server and a printer that are programs of their own. */
async function askTwice(): Promise<{
  spans: SpanRecord[];
  metrics: (RunMetrics | undefined)[];
  sheet: string;
}> {
  const { store, tracer, close } = openTracing(folder, "desk");
  const handbook = createHandbookConnection(tracer, folder);
  const shelves = createShelves(folder);
  const ask = (executionId: string): Promise<string> =>
    tracer.execution({ workflowId: "question-desk", executionId }, (execution) =>
      answerAtDesk(execution, "questions/lost-key.txt", {
        model: createAgentModel("quick", 0),
        handbook: handbook.client,
        telemetry: aiSdkTelemetry(tracer),
        shelf: shelves.forRun(executionId),
        dataFolder: folder,
        signal: new AbortController().signal,
      }),
    );
  const sheet = await ask("first");
  await ask("second");
  await handbook.close();
  await tracer.flush();
  const reader = store.forScope(SCOPE);
  const metrics = [await reader.getRunMetrics("first"), await reader.getRunMetrics("second")];
  const spans = (await reader.getTrace("first", { view: "full" }))?.spans ?? [];
  await close();
  return { spans, metrics, sheet };
}

test("an agent, its tool server and a program that it starts write one trace, with the cache and the file in it", async () => {
  vi.stubEnv("REDIS_URL", undefined);
  const { spans, metrics, sheet } = await askTwice();
  expect(sheet).toContain("A key that was sent by e-mail counts as lost");
  const path = (name: string): string[] => {
    const names: string[] = [];
    for (let span = spans.find((one) => one.name === name); span; ) {
      names.push(`${span.resource.attributes["service.name"]}: ${span.name}`);
      const { parentSpanId } = span;
      span = spans.find(({ spanId }) => spanId === parentSpanId);
    }
    return names.reverse();
  };
  expect(path("serve search_handbook")).toEqual([
    "desk: question-desk",
    "desk: research",
    "desk: invoke_agent local-agent",
    "desk: step 1",
    "desk: execute_tool search_handbook",
    "desk: search_handbook",
    "handbook-server: serve search_handbook",
  ]);
  expect(path("lay out")).toEqual([
    "desk: question-desk",
    "desk: print_sheet",
    "desk: node",
    "print-sheet: lay out",
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans.every(({ endTime, status }) => endTime !== undefined && status.code !== "error")).toBe(true);
  expect(spans.flatMap(({ artifacts = [] }) => artifacts)).toMatchObject([{ name: "answer-sheet.md" }]);
  const [first, second] = metrics;
  expect(first?.stages.map(({ nodeId }) => nodeId)).toEqual(["open_question", "research", "print_sheet"]);
  expect(first?.mcpCache).toMatchObject({ hits: 0, misses: 4 });
  expect(second?.mcpCache).toMatchObject({ hits: 4, misses: 0 });
});

test("the cache may be a real one", async (context) => {
  if (!("url" in redis)) return context.skip(redis.missing);
  vi.stubEnv("REDIS_URL", redis.url);
  const { metrics } = await askTwice();
  const [, second] = metrics;
  expect(second?.mcpCache?.keyspaces).toMatchObject([
    { keyspace: BLOB, hits: 3, misses: 0 },
    { keyspace: TREE, hits: 1, misses: 0 },
  ]);
});
