import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { Observability } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { MockLanguageModelV3, simulateReadableStream } from "ai-6/test";
import { z } from "zod";
import { writeFixture } from "./support.mjs";
import { ANSWER, CALL, QUESTION, RESULT } from "./weather.mjs";

const kept = new InMemorySpanExporter();
const usage = (input, cached, output, reasoning) => ({
  inputTokens: { total: input, noCache: input - cached, cacheRead: cached, cacheWrite: 0 },
  outputTokens: { total: output, text: output - reasoning, reasoning },
});
const response = { id: "resp-1", modelId: "gpt-4o-2024-08-06", timestamp: new Date(1_795_000_000_000) };
const call = {
  type: "tool-call",
  toolCallId: CALL.id,
  toolName: CALL.name,
  input: JSON.stringify(CALL.arguments),
};
const called = { finishReason: { unified: "tool-calls", raw: "tool_calls" }, usage: usage(100, 60, 20, 8) };
const stopped = { finishReason: { unified: "stop", raw: "stop" }, usage: usage(140, 100, 10, 0) };
const text = [
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: ANSWER },
  { type: "text-end", id: "t" },
];
const answers = [
  [call, { type: "finish", ...called }],
  [...text, { type: "finish", ...stopped }],
];
let step = 0;
const model = new MockLanguageModelV3({
  provider: "openai.chat",
  modelId: "gpt-4o",
  doStream: async () => ({
    stream: simulateReadableStream({
      initialDelayInMs: 20,
      chunkDelayInMs: 5,
      chunks: [
        { type: "stream-start", warnings: [] },
        { type: "response-metadata", ...response },
        ...answers[step++ % 2],
      ],
    }),
  }),
});
const weather = createTool({
  id: "weather",
  description: "Weather of a city",
  inputSchema: z.object({ city: z.string() }),
  outputSchema: z.object({ degrees: z.number() }),
  execute: async () => RESULT,
});
const agent = new Agent({
  id: "weather-agent",
  name: "weather-agent",
  instructions: "Be brief.",
  model,
  tools: { weather },
});
const ask = createStep({
  id: "ask",
  inputSchema: z.object({ question: z.string() }),
  outputSchema: z.object({ answer: z.string() }),
  execute: async ({ inputData, mastra, tracingContext }) => {
    const output = await mastra.getAgent("agent").stream(inputData.question, { tracingContext });
    return { answer: await output.text };
  },
});
const workflow = createWorkflow({
  id: "weather-report",
  inputSchema: z.object({ question: z.string() }),
  outputSchema: z.object({ answer: z.string() }),
})
  .then(ask)
  .commit();
const exporter = new OtelExporter({
  exporter: kept,
  provider: { custom: { endpoint: "http://127.0.0.1:9/v1/traces", protocol: "http/json" } },
  signals: { logs: false },
});
const mastra = new Mastra({
  agents: { agent },
  workflows: { workflow },
  logger: false,
  observability: new Observability({ configs: { otel: { serviceName: "weather", exporters: [exporter] } } }),
});
const run = await mastra.getWorkflow("workflow").createRun();
const result = await run.start({
  inputData: { question: QUESTION },
  tracingOptions: { metadata: { threadId: "thread-1" } },
});
if (result.status !== "success")
  throw new Error(`The workflow ended as ${result.status}: ${JSON.stringify(result.error)}`);
// The exporter hears of the root some time after the run has ended.
for (let attempt = 0; attempt < 50; attempt++) {
  await exporter.flush();
  if (kept.getFinishedSpans().some(({ name }) => name.startsWith("invoke_workflow"))) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
writeFixture("mastra", kept.getFinishedSpans());
process.exit(0);
