// A program that runs one execution and has nothing else to do: node silent-collector.test-support.ts <collector>
import { createWorkflowTracer } from "./create-workflow-tracer.ts";

/** Where the program is. */
export const program: string = import.meta.filename;

if (process.argv[1] === program) {
  const [url = ""] = process.argv.slice(2);
  const tracer = createWorkflowTracer({
    store: { write: async (spans) => ({ written: spans.length, unchanged: 0, rejected: [] }) },
    otlp: { url },
    queue: { writeTimeoutMs: 3_600_000 },
  });
  tracer.execution({ workflowId: "w" }, () => undefined);
}
