// As OpenLLMetry wrote chats before `gen_ai.input.messages`: flattened by their place.
import { OpenAIInstrumentation } from "@traceloop/instrumentation-openai-old";
import OpenAI from "openai";
import { startFakeProvider } from "./fake-openai.mjs";
import { registerProvider, writeFixture } from "./support.mjs";
import { CALL, QUESTION, RESULT } from "./weather.mjs";

const { provider, exporter } = registerProvider();
const fake = await startFakeProvider();
const instrumentation = new OpenAIInstrumentation();
instrumentation.setTracerProvider(provider);
instrumentation.manuallyInstrument(OpenAI);
const openai = new OpenAI({ apiKey: "none", baseURL: `${fake.url}/v1` });
const tools = [{ type: "function", function: { name: CALL.name, parameters: { type: "object" } } }];
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: QUESTION }] },
];

const first = await openai.chat.completions.create({ model: "gpt-4o", messages, tools });
const said = first.choices[0].message;
const answered = { role: "tool", tool_call_id: CALL.id, content: JSON.stringify(RESULT) };
await openai.chat.completions.create({ model: "gpt-4o", messages: [...messages, said, answered] });
writeFixture("traceloop-old", exporter.getFinishedSpans());
fake.close();
