import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { registerProvider, writeFixture } from "./support.mjs";
import { ANSWER, CALL, QUESTION, RESULT } from "./weather.mjs";

const kept = new InMemorySpanExporter();
registerProvider(
  new LangfuseSpanProcessor({
    publicKey: "none",
    secretKey: "none",
    baseUrl: "http://127.0.0.1:9",
    exporter: kept,
    exportMode: "immediate",
    environment: "test",
  }),
);
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: QUESTION },
];

await propagateAttributes({ sessionId: "thread-1", userId: "user-1" }, () =>
  startActiveObservation(
    "weather-agent",
    async (agent) => {
      agent.update({ input: { question: QUESTION } });
      await startActiveObservation(
        "ask",
        async (generation) =>
          generation.update({
            model: "gpt-4o",
            modelParameters: { temperature: 0.2 },
            input: messages,
            output: {
              role: "assistant",
              content: null,
              tool_calls: [
                {
                  id: CALL.id,
                  type: "function",
                  function: { name: CALL.name, arguments: JSON.stringify(CALL.arguments) },
                },
              ],
            },
            completionStartTime: new Date(),
            // The names that Langfuse's own integrations write: parts stand beside `input` and `output`.
            usageDetails: {
              input: 40,
              input_cached_tokens: 60,
              output: 12,
              output_reasoning_tokens: 8,
              total: 120,
            },
            costDetails: { input: 0.0002, output: 0.0002, total: 0.0004 },
          }),
        { asType: "generation" },
      );
      await startActiveObservation(
        "weather",
        async (tool) => tool.update({ input: CALL.arguments, output: RESULT }),
        { asType: "tool" },
      );
      await startActiveObservation(
        "answer",
        async (generation) =>
          generation.update({
            model: "gpt-4o",
            input: messages,
            output: ANSWER,
            // As a provider's API says it: cached and reasoning tokens are inside.
            usageDetails: {
              prompt_tokens: 140,
              completion_tokens: 10,
              total_tokens: 150,
              prompt_tokens_details: { cached_tokens: 100 },
              completion_tokens_details: { reasoning_tokens: 0 },
            },
          }),
        { asType: "generation" },
      );
      await startActiveObservation(
        "search",
        async (retriever) => retriever.update({ input: QUESTION, output: ["Lisbon is sunny."] }),
        { asType: "retriever" },
      );
      await startActiveObservation(
        "embed",
        async (embedding) =>
          embedding.update({ model: "text-embedding-3-small", input: QUESTION, usageDetails: { input: 9 } }),
        { asType: "embedding" },
      );
      agent.update({ output: ANSWER });
      agent.setTraceIO({ input: QUESTION, output: ANSWER });
    },
    { asType: "agent" },
  ),
);
await new Promise((resolve) => setTimeout(resolve, 200));
writeFixture("langfuse", kept.getFinishedSpans());
process.exit(0);
