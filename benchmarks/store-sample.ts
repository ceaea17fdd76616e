// Executions as the benchmarks of stores write them.
import { nanosFromMillis, type SpanRecord } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";

const WORKFLOWS = 20;
const MODELS = 8;
export const FIRST_START_MS: number = Date.UTC(2026, 9, 20);
export const DAY_MS = 86_400_000;

/** One execution in start order: a workflow, nodes, in each an agent that repeats what its model calls used, and tools. */
export function execution(
  number: number,
  size: number,
  startMs: number = FIRST_START_MS + number * 1000,
): SpanRecord[] {
  const maker = new ExecutionMaker(number, startMs);
  const root = maker.add({ kind: "workflow" });
  for (let node = 0; maker.spans.length < size; node++) {
    const nodeId = `node-${node % 5}`;
    const step = maker.add({ kind: "node", nodeId, parentSpanId: root.spanId });
    if (maker.spans.length >= size) break;
    const agent = maker.add({ kind: "agent", nodeId, parentSpanId: step.spanId });
    let input = 0;
    for (let call = 0; call < 16 && maker.spans.length < size; call++) {
      const below = { nodeId, parentSpanId: agent.spanId };
      if (call % 2 === 1) maker.add({ ...below, kind: "tool" });
      else input += maker.addCall(below).usage?.input ?? 0;
    }
    agent.usage = { input };
  }
  return maker.spans;
}

/** Three spans; where nothing else is said, spread over a month. */
export function shortExecution(
  number: number,
  startMs: number = FIRST_START_MS + ((number * 7919) % 30_000) * (DAY_MS / 1000),
): SpanRecord[] {
  const maker = new ExecutionMaker(number, startMs);
  const root = maker.add({ kind: "workflow" });
  maker.addCall({ nodeId: "node-1", nodeType: "agent", parentSpanId: root.spanId });
  maker.addCall({ nodeId: "node-2", nodeType: "loader", parentSpanId: root.spanId });
  return maker.spans;
}

class ExecutionMaker {
  readonly spans: SpanRecord[] = [];
  private readonly number: number;
  private readonly startMs: number;

  constructor(number: number, startMs: number) {
    this.number = number;
    this.startMs = startMs;
  }

  add(fields: Partial<SpanRecord>): SpanRecord {
    const index = this.spans.length;
    // Ids of real traces are random: neighbours in time are none in an index.
    const mixed = Math.imul((this.number + 1) ^ 0x5bd1e995, 0x9e3779b1) >>> 0;
    const span = makeSpan({
      traceId: mixed.toString(16).padStart(8, "0") + (this.number + 1).toString(16).padStart(24, "0"),
      spanId:
        (Math.imul(index + 1, 0x85ebca6b) >>> 0).toString(16).padStart(8, "0") +
        (index + 1).toString(16).padStart(8, "0"),
      executionId: `execution-${this.number}`,
      workflowId: `workflow-${this.number % WORKFLOWS}`,
      workflowName: `Workflow ${this.number % WORKFLOWS}`,
      name: `${fields.kind} ${index}`,
      startTime: nanosFromMillis(this.startMs + index),
      endTime: nanosFromMillis(this.startMs + index + 900),
      status: { code: "ok" },
      attributes: ATTRIBUTES,
      input: textContent("The quick brown fox jumps over the lazy dog. ".repeat(6)),
      ...fields,
    });
    this.spans.push(span);
    return span;
  }

  addCall(fields: Partial<SpanRecord>): SpanRecord {
    const input = 500 + ((this.spans.length * 37 + this.number * 7919) % 100_003);
    return this.add({
      ...fields,
      kind: "llm",
      model: `model-${this.number % MODELS}`,
      provider: "provider",
      usage: { input, output: 120 },
      cost: { nanoUsd: input * 1250 + 1_200_000, source: "computed" },
    });
  }
}

/** Payload S: ten attributes. */
const ATTRIBUTES = {
  "app.tenant": "acme",
  "app.region": "eu-west-1",
  "app.step": 4,
  "app.ratio": 0.25,
  "app.cached": false,
  "app.user": "user-8812",
  "app.request": "4bf92f3577b34da6a3ce929d0e0e4736",
  "app.version": "2026.11.3",
  "app.queue": "default",
  "app.label": "a somewhat longer attribute value, as they come",
};
