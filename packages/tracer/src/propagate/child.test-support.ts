// A process that joins what started it, and prints what it would have stored.
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { joinTrace } from "./join.ts";

const sink = collectingSink();
const tracer = createWorkflowTracer({ store: sink, serviceName: "child" });
await joinTrace(tracer, process.env, { name: "convert" }, async (span) => {
  await span.tool({ name: "page" }, async () => "one");
});
await tracer.flush();
process.stdout.write(JSON.stringify(sink.spans()));
