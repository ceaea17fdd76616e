// The same execution in Spanloom's three ways of writing it.
import type { WorkflowTracer } from "@spanloom/tracer";
import { attributesOf, type Exchange, MODEL, NODES, PROVIDER, USAGE } from "./workload.ts";

const WORKFLOW = { workflowId: "bench", workflowName: "workflow" };
const CALL = { model: MODEL, provider: PROVIDER, name: `chat ${MODEL}` };

export function ourCallbacks(tracer: WorkflowTracer, nextExchange: () => Exchange): Promise<void> {
  return tracer.execution({ ...WORKFLOW, attributes: attributesOf(0) }, async (execution) => {
    for (let step = 0; step < NODES; step++) {
      await execution.node({ id: `node ${step}`, attributes: attributesOf(step) }, async (node) => {
        const exchange = nextExchange();
        await node.llm({ ...CALL, input: exchange.messages, attributes: attributesOf(step) }, async (llm) => {
          const { answer } = await exchange;
          llm.setUsage(USAGE);
          return answer;
        });
        await node.tool(
          { name: "search", input: exchange.arguments, attributes: attributesOf(step) },
          async () => (await exchange).result,
        );
      });
    }
  });
}

export function ourSyncCallbacks(tracer: WorkflowTracer, nextExchange: () => Exchange): void {
  tracer.execution({ ...WORKFLOW, attributes: attributesOf(0) }, (execution) => {
    for (let step = 0; step < NODES; step++) {
      execution.node({ id: `node ${step}`, attributes: attributesOf(step) }, (node) => {
        const exchange = nextExchange();
        node.llm({ ...CALL, input: exchange.messages, attributes: attributesOf(step) }, (llm) => {
          llm.setUsage(USAGE);
          return exchange.answer;
        });
        node.tool(
          { name: "search", input: exchange.arguments, attributes: attributesOf(step) },
          () => exchange.result,
        );
      });
    }
  });
}

export function oursByHand(tracer: WorkflowTracer, nextExchange: () => Exchange): void {
  const execution = tracer.startExecution({ ...WORKFLOW, attributes: attributesOf(0) });
  for (let step = 0; step < NODES; step++) {
    const { messages, answer, arguments: input, result } = nextExchange();
    const node = execution.startNode({ id: `node ${step}`, attributes: attributesOf(step) });
    const llm = node.startLlm({ ...CALL, input: messages, attributes: attributesOf(step) });
    llm.setUsage(USAGE);
    llm.end({ output: answer });
    node.startTool({ name: "search", input, attributes: attributesOf(step) }).end({ output: result });
    node.end();
  }
  execution.end();
}
