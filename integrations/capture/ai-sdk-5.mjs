import { generateText, stepCountIs, streamText, tool } from "ai-5";
import { MockLanguageModelV2, simulateReadableStream } from "ai-5/test";
import { z } from "zod";
import { registerProvider, writeFixture } from "./support.mjs";
import { ANSWER, CALL, QUESTION, RESULT } from "./weather.mjs";

const { exporter } = registerProvider();
const identity = { provider: "anthropic.messages", modelId: "claude-sonnet-4-5" };
const response = {
  id: "resp-1",
  modelId: "claude-sonnet-4-5-20250929",
  timestamp: new Date(1_795_000_000_000),
};
const usage = (inputTokens, cachedInputTokens, outputTokens, reasoningTokens) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  reasoningTokens,
  totalTokens: inputTokens + outputTokens,
});
const call = {
  type: "tool-call",
  toolCallId: CALL.id,
  toolName: CALL.name,
  input: JSON.stringify(CALL.arguments),
};
const called = { finishReason: "tool-calls", usage: usage(100, 60, 20, 8) };
const stopped = { finishReason: "stop", usage: usage(140, 100, 10, 0) };
const settings = {
  experimental_telemetry: {
    isEnabled: true,
    functionId: "weather-agent",
    metadata: { sessionId: "thread-1" },
  },
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
  messages: [{ role: "user", content: [{ type: "text", text: QUESTION }] }],
  model: new MockLanguageModelV2({
    ...identity,
    doGenerate: steps(
      { content: [call], ...called, response, warnings: [] },
      { content: [{ type: "text", text: ANSWER }], ...stopped, response, warnings: [] },
    ),
  }),
});
await streamText({
  ...settings,
  prompt: QUESTION,
  model: new MockLanguageModelV2({
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
writeFixture("ai-sdk-5", exporter.getFinishedSpans());

function steps(...answers) {
  let step = 0;
  return async () => answers[step++];
}

function chunks(list) {
  const all = [{ type: "stream-start", warnings: [] }, { type: "response-metadata", ...response }, ...list];
  return { stream: simulateReadableStream({ initialDelayInMs: 20, chunkDelayInMs: 5, chunks: all }) };
}
