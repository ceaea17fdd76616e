import * as anthropicModule from "@anthropic-ai/sdk";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";
import { startFakeProvider } from "./fake-openai.mjs";
import { writeFixture } from "./support.mjs";
import { CALL, QUESTION, RESULT } from "./weather.mjs";

const exporter = new InMemorySpanExporter();
const fake = await startFakeProvider();
traceloop.initialize({
  appName: "weather",
  exporter,
  disableBatch: true,
  silenceInitializationMessage: true,
  traceloopSyncEnabled: false,
  tracingEnabled: true,
  instrumentModules: { openAI: OpenAI, anthropic: anthropicModule },
});
const openai = new OpenAI({ apiKey: "none", baseURL: `${fake.url}/v1` });
const anthropic = new anthropicModule.Anthropic({ apiKey: "none", baseURL: fake.url });
const tools = [
  {
    type: "function",
    function: { name: CALL.name, parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];

await traceloop.withAssociationProperties({ session_id: "thread-1" }, () =>
  traceloop.withWorkflow({ name: "weather-report" }, async () => {
    await traceloop.withAgent(
      { name: "weather-agent" },
      async (question) => {
        const messages = [
          { role: "system", content: "Be brief." },
          { role: "user", content: question },
        ];
        const first = await openai.chat.completions.create({
          model: "gpt-4o",
          temperature: 0.2,
          messages,
          tools,
        });
        const result = await traceloop.withTool({ name: "weather" }, async () => RESULT, CALL.arguments);
        const second = await openai.chat.completions.create({
          model: "gpt-4o",
          messages: [
            ...messages,
            first.choices[0].message,
            { role: "tool", tool_call_id: CALL.id, content: JSON.stringify(result) },
          ],
        });
        return second.choices[0].message.content;
      },
      QUESTION,
    );
    await traceloop.withTask({ name: "stream" }, async () => {
      const stream = await openai.chat.completions.create({
        model: "gpt-4o",
        messages: [{ role: "user", content: QUESTION }],
        stream: true,
        stream_options: { include_usage: true },
      });
      for await (const _chunk of stream);
    });
    await anthropic.messages.create({
      model: "claude-sonnet-4-5",
      max_tokens: 100,
      messages: [{ role: "user", content: QUESTION }],
    });
  }),
);
await traceloop.forceFlush();
writeFixture("traceloop", exporter.getFinishedSpans());
fake.close();
process.exit(0);
