import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";

test("a tracer with a meter records its calls once each", async () => {
  const recorded: { name: string; value: number }[] = [];
  const counter = { addCallback: () => undefined, removeCallback: () => undefined };
  const meter = {
    createObservableCounter: () => counter,
    createObservableUpDownCounter: () => counter,
    createHistogram: (name: string) => ({ record: (value: number) => void recorded.push({ name, value }) }),
  };
  const store = {
    write: (spans: readonly object[]) =>
      Promise.resolve({ written: spans.length, unchanged: 0, rejected: [] }),
  };
  const tracer = createWorkflowTracer({ store, meter, flushOnExit: false });
  tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, (node) =>
      node.llm({ model: "m", provider: "p" }, (llm) => void llm.setUsage({ input: 3, output: 4 })),
    ),
  );
  await tracer.shutdown();
  expect(recorded.map(({ name, value }) => [name, value]).slice(0, 2)).toEqual([
    ["gen_ai.client.token.usage", 3],
    ["gen_ai.client.token.usage", 4],
  ]);
  expect(recorded).toHaveLength(3);
});
