// A CommonJS host: `require` works on every Node that the packages support.
const { createMemoryStore } = require("@spanloom/store");
const { createWorkflowTracer } = require("@spanloom/tracer");

const store = createMemoryStore();
const tracer = createWorkflowTracer({ store });

tracer
  .execution({ workflowId: "ping" }, async () => "pong")
  .then(async (result) => {
    await tracer.shutdown();
    const { items } = await store.forScope("default").listExecutions({});
    console.log(
      JSON.stringify({ result, stored: items.map(({ workflowId, status }) => ({ workflowId, status })) }),
    );
  });
