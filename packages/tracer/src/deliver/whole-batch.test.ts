import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";

test("a whole batch is written at once, so that a burst finds room while the store takes it", async () => {
  const writes = new EventEmitter();
  const tracer = createWorkflowTracer({
    store: {
      write: (spans) => {
        writes.emit("write", spans.length);
        return Promise.resolve({ written: spans.length, unchanged: 0, rejected: [] });
      },
    },
    queue: { flushIntervalMs: 3_600_000 },
    flushOnExit: false,
  });
  const written = once(writes, "write");
  tracer.execution({ workflowId: "burst" }, (execution) => {
    for (let index = 0; index < 499; index++) execution.node({ id: `node-${index}` }, () => undefined);
  });
  expect(await written).toEqual([500]);
  await tracer.shutdown();
});
