import { expect, test } from "vitest";
import { countedOnce, named, readFixture } from "./fixture.test-support.ts";

const spans = readFixture("mastra");

test("the workflow and its step", () => {
  expect(named(spans, "invoke_workflow weather-report")[0]).toMatchObject({
    kind: "workflow",
    threadId: "thread-1",
    input: { json: { question: "What is the weather in Lisbon?" } },
    output: { json: { answer: "It is 21 degrees in Lisbon." } },
  });
  expect(named(spans, "workflow_step ask")[0]).toMatchObject({
    kind: "node",
    nodeId: "ask",
    provenance: { kind: { dialect: "mastra", key: "mastra.span.type" } },
  });
});

test("an agent: its instructions and what it was asked are its messages", () => {
  expect(named(spans, "invoke_agent weather-agent")[0]).toMatchObject({
    kind: "agent",
    agent: "weather-agent",
    input: {
      messages: [
        { role: "system", parts: [{ type: "text", content: "Be brief." }] },
        { role: "user", parts: [{ type: "text", content: "What is the weather in Lisbon?" }] },
      ],
    },
  });
});

test("a model call", () => {
  const [first, second] = named(spans, "chat gpt-4o");
  expect(first).toMatchObject({
    kind: "llm",
    model: "gpt-4o-2024-08-06",
    provider: "openai",
    agent: "weather-agent",
    usage: { input: 100, output: 20, cachedInput: 60, cacheWrite: 0, reasoning: 8 },
    finishReasons: ["tool-calls"],
  });
  expect(BigInt(second?.firstTokenTime ?? 0) > BigInt(second?.startTime ?? 0)).toBe(true);
  expect(second?.output).toMatchObject({
    messages: [{ parts: [{ content: "It is 21 degrees in Lisbon." }] }],
  });
});

test("the loop around the calls, its turns and the tool", () => {
  const [loop] = named(spans, "model_generation gpt-4o");
  expect(loop).toMatchObject({ kind: "agent", input: { messages: [{ role: "system" }, { role: "user" }] } });
  expect(named(spans, "agent_step weather-agent")).toMatchObject([{ kind: "agent" }, { kind: "agent" }]);
  expect(named(spans, "execute_tool weather")[0]).toMatchObject({
    kind: "tool",
    input: { json: { city: "Lisbon" } },
    output: { json: { degrees: 21 } },
  });
});

test("only the calls carry usage", () => {
  expect(countedOnce(spans)).toEqual({
    input: 240,
    output: 30,
    cachedInput: 160,
    cacheWrite: 0,
    reasoning: 8,
    total: 270,
  });
});
