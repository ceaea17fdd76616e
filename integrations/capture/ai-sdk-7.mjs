import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import { MockEmbeddingModelV4, MockLanguageModelV4, simulateReadableStream } from "ai/test";
import { z } from "zod";
import { registerProvider, writeFixture } from "./support.mjs";
import { ANSWER, CALL, QUESTION, RESULT } from "./weather.mjs";

const { exporter } = registerProvider();
const SUPPLEMENTS = {
  usage: true,
  providerMetadata: true,
  embedding: true,
  runtimeContext: true,
  toolChoice: true,
  schema: true,
};

await capture("ai-sdk-7", () => new OpenTelemetry(SUPPLEMENTS));
await capture("ai-sdk-7-legacy", () => new LegacyOpenTelemetry());

async function capture(name, integration) {
  const settings = {
    telemetry: {
      integrations: [integration()],
      functionId: "weather-agent",
      includeRuntimeContext: { sessionId: true },
    },
    runtimeContext: { sessionId: "thread-1" },
    tools: {
      weather: tool({
        description: "Weather of a city",
        inputSchema: z.object({ city: z.string() }),
        execute: async () => RESULT,
      }),
    },
    stopWhen: stepCountIs(3),
  };
  await generateText({
    ...settings,
    model: new MockLanguageModelV4({ ...identity(), doGenerate: answers() }),
    instructions: "Be brief.",
    prompt: QUESTION,
  });
  const stream = streamText({
    ...settings,
    model: new MockLanguageModelV4({ ...identity(), doStream: streams() }),
    prompt: QUESTION,
  });
  await stream.consumeStream();
  await embed({
    model: new MockEmbeddingModelV4({
      provider: "openai.embedding",
      modelId: "text-embedding-3-small",
      doEmbed: async () => ({ embeddings: [[0.1, 0.2]], usage: { tokens: 9 }, warnings: [] }),
    }),
    value: QUESTION,
    telemetry: settings.telemetry,
  });
  writeFixture(name, exporter.getFinishedSpans());
  exporter.reset();
}

function identity() {
  return { provider: "openai.chat", modelId: "gpt-4o" };
}

function usage(input, cached, output, reasoning) {
  return {
    inputTokens: { total: input, noCache: input - cached, cacheRead: cached, cacheWrite: 0 },
    outputTokens: { total: output, text: output - reasoning, reasoning },
  };
}

function answers() {
  let step = 0;
  const response = { id: "resp-1", modelId: "gpt-4o-2024-08-06", timestamp: new Date(1_795_000_000_000) };
  return async () =>
    step++ === 0
      ? {
          content: [
            { type: "reasoning", text: "Ask the tool." },
            {
              type: "tool-call",
              toolCallId: CALL.id,
              toolName: CALL.name,
              input: JSON.stringify(CALL.arguments),
            },
          ],
          finishReason: { unified: "tool-calls", raw: "tool_calls" },
          usage: usage(100, 60, 20, 8),
          response,
          warnings: [],
        }
      : {
          content: [{ type: "text", text: ANSWER }],
          finishReason: { unified: "stop", raw: "stop" },
          usage: usage(140, 100, 10, 0),
          response,
          warnings: [],
        };
}

function streams() {
  let step = 0;
  const metadata = {
    type: "response-metadata",
    id: "resp-1",
    modelId: "gpt-4o-2024-08-06",
    timestamp: new Date(1_795_000_000_000),
  };
  return async () => ({
    stream: simulateReadableStream({
      initialDelayInMs: 20,
      chunkDelayInMs: 5,
      chunks:
        step++ === 0
          ? [
              { type: "stream-start", warnings: [] },
              metadata,
              {
                type: "tool-call",
                toolCallId: CALL.id,
                toolName: CALL.name,
                input: JSON.stringify(CALL.arguments),
              },
              {
                type: "finish",
                finishReason: { unified: "tool-calls", raw: "tool_calls" },
                usage: usage(100, 60, 20, 8),
              },
            ]
          : [
              { type: "stream-start", warnings: [] },
              metadata,
              { type: "text-start", id: "t" },
              { type: "text-delta", id: "t", delta: ANSWER.slice(0, 10) },
              { type: "text-delta", id: "t", delta: ANSWER.slice(10) },
              { type: "text-end", id: "t" },
              {
                type: "finish",
                finishReason: { unified: "stop", raw: "stop" },
                usage: usage(140, 100, 10, 0),
              },
            ],
    }),
  });
}
