import {
  getRetrieverAttributes,
  setSession,
  setUser,
  traceAgent,
  traceRetriever,
  traceTool,
} from "@arizeai/openinference-core";
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import * as callbacks from "@langchain/core/callbacks/manager";
import { AIMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { context } from "@opentelemetry/api";
import OpenAI from "openai";
import { z } from "zod";
import { startFakeProvider } from "./fake-openai.mjs";
import { registerProvider, writeFixture } from "./support.mjs";
import { CALL, QUESTION, RESULT } from "./weather.mjs";

const { provider, exporter } = registerProvider();
const fake = await startFakeProvider();
const withThread = (run) =>
  context.with(setUser(setSession(context.active(), { sessionId: "thread-1" }), { userId: "user-1" }), run);

const openai = new OpenAIInstrumentation({ tracerProvider: provider });
openai.manuallyInstrument(OpenAI);
const client = new OpenAI({ apiKey: "none", baseURL: `${fake.url}/v1` });
const tools = [
  {
    type: "function",
    function: { name: CALL.name, parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];
const ask = (messages, more) =>
  client.chat.completions.create({ model: "gpt-4o", temperature: 0.2, messages, tools, ...more });

await withThread(() =>
  traceAgent(
    async (question) => {
      const messages = [
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text: question }] },
      ];
      const first = await ask(messages);
      const result = await traceTool(async () => RESULT, { name: "weather" })(CALL.arguments);
      const second = await ask([
        ...messages,
        first.choices[0].message,
        { role: "tool", tool_call_id: CALL.id, content: JSON.stringify(result) },
      ]);
      return second.choices[0].message.content;
    },
    { name: "weather-agent" },
  )(QUESTION),
);
for await (const _chunk of await ask([{ role: "user", content: QUESTION }], {
  stream: true,
  stream_options: { include_usage: true },
}));
await client.embeddings.create({ model: "text-embedding-3-small", input: QUESTION });
await traceRetriever(async () => [{ id: "doc-1", content: "Lisbon is sunny.", score: 0.9 }], {
  name: "search",
  processOutput: (documents) => getRetrieverAttributes({ documents }),
})(QUESTION);
writeFixture("openinference-openai", exporter.getFinishedSpans());
exporter.reset();

const langchain = new LangChainInstrumentation({ tracerProvider: provider });
langchain.manuallyInstrument(callbacks);
const answer = new AIMessage({
  content: "",
  tool_calls: [{ id: CALL.id, name: CALL.name, args: CALL.arguments }],
  additional_kwargs: {
    tool_calls: [
      {
        id: CALL.id,
        type: "function",
        function: { name: CALL.name, arguments: JSON.stringify(CALL.arguments) },
      },
    ],
  },
  usage_metadata: {
    input_tokens: 100,
    output_tokens: 20,
    total_tokens: 120,
    input_token_details: { cache_read: 60 },
    output_token_details: { reasoning: 8 },
  },
  response_metadata: { model_name: "gpt-4o-2024-08-06", finish_reason: "tool_calls" },
});
class WeatherModel extends FakeListChatModel {
  invocationParams() {
    return { model: "gpt-4o" };
  }
  async _generate() {
    return { generations: [{ text: "", message: answer }] };
  }
}
const chain = ChatPromptTemplate.fromMessages([
  ["system", "Be brief."],
  ["user", "{question}"],
]).pipe(new WeatherModel({ responses: [""] }));
await chain.invoke({ question: QUESTION }, { metadata: { session_id: "thread-1" } });
await tool(async () => JSON.stringify(RESULT), {
  name: "weather",
  description: "Weather of a city",
  schema: z.object({ city: z.string() }),
}).invoke(CALL.arguments);
writeFixture("openinference-langchain", exporter.getFinishedSpans());
fake.close();
