// OpenAI's and Anthropic's chat over HTTP on loopback: a tool call first, an answer when the tool has spoken.
import { createServer } from "node:http";
import { ANSWER, CALL } from "./weather.mjs";

const FIRST = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 60 },
  completion_tokens_details: { reasoning_tokens: 8 },
};
const SECOND = {
  prompt_tokens: 140,
  completion_tokens: 10,
  total_tokens: 150,
  prompt_tokens_details: { cached_tokens: 100 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const TOOL_CALL = {
  id: CALL.id,
  type: "function",
  function: { name: CALL.name, arguments: JSON.stringify(CALL.arguments) },
};

export async function startFakeProvider() {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const asked = JSON.parse(body);
    if (request.url.endsWith("/embeddings")) return json(response, embedding(asked));
    if (request.url.endsWith("/messages")) return json(response, anthropic(asked));
    if (asked.stream) return stream(response, asked);
    json(response, completion(asked));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

function json(response, value) {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function completion({ messages, model }) {
  const answered = messages.some(({ role }) => role === "tool");
  const message = answered
    ? { role: "assistant", content: ANSWER }
    : { role: "assistant", content: null, tool_calls: [TOOL_CALL] };
  return {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_795_000_000,
    model: `${model}-2024-08-06`,
    choices: [{ index: 0, message, finish_reason: answered ? "stop" : "tool_calls" }],
    usage: answered ? SECOND : FIRST,
  };
}

function stream(response, { model }) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (delta, finish_reason, more) =>
    response.write(
      `data: ${JSON.stringify({ id: "chatcmpl-2", object: "chat.completion.chunk", created: 1_795_000_000, model: `${model}-2024-08-06`, choices: finish_reason === undefined ? [] : [{ index: 0, delta, finish_reason }], ...more })}\n\n`,
    );
  send({ role: "assistant", content: ANSWER.slice(0, 10) }, null);
  send({ content: ANSWER.slice(10) }, null);
  send({}, "stop");
  send({}, undefined, { usage: SECOND });
  response.end("data: [DONE]\n\n");
}

function embedding({ model }) {
  return {
    object: "list",
    model,
    data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }],
    usage: { prompt_tokens: 9, total_tokens: 9 },
  };
}

/** Anthropic counts cached tokens beside `input_tokens`, not inside. */
function anthropic({ model }) {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content: [
      { type: "text", text: "I ask the tool." },
      { type: "tool_use", id: CALL.id, name: CALL.name, input: CALL.arguments },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: {
      input_tokens: 40,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 5,
      output_tokens: 20,
    },
  };
}
