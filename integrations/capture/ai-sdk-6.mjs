import { embed, generateObject, generateText, stepCountIs, streamText, tool } from "ai-6";
import { MockEmbeddingModelV3, MockLanguageModelV3, simulateReadableStream } from "ai-6/test";
import { z } from "zod";
import { registerProvider, writeFixture } from "./support.mjs";
import { ANSWER, CALL, QUESTION, RESULT } from "./weather.mjs";

const { exporter } = registerProvider();
const identity = { provider: "openai.chat", modelId: "gpt-4o" };
const response = { id: "resp-1", modelId: "gpt-4o-2024-08-06", timestamp: new Date(1_795_000_000_000) };
const usage = (input, cached, output, reasoning) => ({
  inputTokens: { total: input, noCache: input - cached, cacheRead: cached, cacheWrite: 0 },
  outputTokens: { total: output, text: output - reasoning, reasoning },
});
const call = {
  type: "tool-call",
  toolCallId: CALL.id,
  toolName: CALL.name,
  input: JSON.stringify(CALL.arguments),
};
const called = { finishReason: { unified: "tool-calls", raw: "tool_calls" }, usage: usage(100, 60, 20, 8) };
const stopped = { finishReason: { unified: "stop", raw: "stop" }, usage: usage(140, 100, 10, 0) };
const telemetry = {
  experimental_telemetry: {
    isEnabled: true,
    functionId: "weather-agent",
    metadata: { sessionId: "thread-1", userId: "user-1" },
  },
};
const settings = {
  ...telemetry,
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
  system: "Be brief.",
  prompt: QUESTION,
  model: new MockLanguageModelV3({
    ...identity,
    doGenerate: steps(
      { content: [{ type: "reasoning", text: "Ask the tool." }, call], ...called, response, warnings: [] },
      { content: [{ type: "text", text: ANSWER }], ...stopped, response, warnings: [] },
    ),
  }),
});
await streamText({
  ...settings,
  prompt: QUESTION,
  model: new MockLanguageModelV3({
    ...identity,
    doStream: steps(
      chunks([call, { type: "finish", ...called }]),
      chunks([
        { type: "text-start", id: "t" },
        { type: "text-delta", id: "t", delta: ANSWER },
        { type: "text-end", id: "t" },
        { type: "finish", ...stopped },
      ]),
    ),
  }),
}).consumeStream();
await generateObject({
  ...telemetry,
  prompt: QUESTION,
  schema: z.object({ degrees: z.number() }),
  model: new MockLanguageModelV3({
    ...identity,
    doGenerate: async () => ({
      content: [{ type: "text", text: JSON.stringify(RESULT) }],
      ...stopped,
      response,
      warnings: [],
    }),
  }),
});
await embed({
  ...telemetry,
  value: QUESTION,
  model: new MockEmbeddingModelV3({
    provider: "openai.embedding",
    modelId: "text-embedding-3-small",
    doEmbed: async () => ({ embeddings: [[0.1, 0.2]], usage: { tokens: 9 }, warnings: [] }),
  }),
});
writeFixture("ai-sdk-6", exporter.getFinishedSpans());

function steps(...answers) {
  let step = 0;
  return async () => answers[step++];
}

function chunks(list) {
  const all = [{ type: "stream-start", warnings: [] }, { type: "response-metadata", ...response }, ...list];
  return { stream: simulateReadableStream({ initialDelayInMs: 20, chunkDelayInMs: 5, chunks: all }) };
}
