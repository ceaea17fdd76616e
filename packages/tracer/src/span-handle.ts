import type { SpanKind } from "@spanloom/model";
import type { SpanFacts } from "./facts.ts";
import { type LlmOptions, llmFacts } from "./llm.ts";
import { type NodeHandle, type NodeOptions, nodeFacts } from "./node.ts";
import { RecordedSpan } from "./recorded-span.ts";
import { runSpan } from "./run-span.ts";
import type { ToolOptions } from "./tool.ts";

export interface SpanOptions {
  name: string;
  /** Default `internal`. Use `startNode`, `startLlm` and `startTool` for theirs. */
  kind?: Exclude<SpanKind, "workflow" | "node">;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** A span that runs, and the way to start others below it. Nothing it does throws. */
export class SpanHandle extends RecordedSpan {
  /** The id of the node that the span is, or stands below. */
  get nodeId(): string | undefined {
    return this.recording.facts.node?.nodeId;
  }

  /** Which try of that node this is, from 1. */
  get attempt(): number | undefined {
    return this.recording.facts.node?.attempt;
  }

  /** Runs one step of the workflow. The span ends when `run` does; what `run` gives or throws is passed through. */
  node<T>(options: NodeOptions, run: (node: NodeHandle) => T): T {
    return runSpan(() => this.startNode(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startNode(options: NodeOptions): NodeHandle {
    const node = nodeFacts(options, this.recorder.problems);
    // The facts of a node hold both of what its handle promises.
    return this.#startChild(options.name ?? node.nodeId, { kind: "node", node }, options) as NodeHandle;
  }

  /** Calls a model. The span ends when `run` does; what `run` gives or throws is passed through. */
  llm<T>(options: LlmOptions, run: (llm: SpanHandle) => T): T {
    return runSpan(() => this.startLlm(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startLlm(options: LlmOptions): SpanHandle {
    return this.#startChild(
      options.name ?? options.model,
      llmFacts(options, this.recorder.problems),
      options,
    );
  }

  /** Calls a tool. The span ends when `run` does; what `run` gives or throws is passed through. */
  tool<T>(options: ToolOptions, run: (tool: SpanHandle) => T): T {
    return runSpan(() => this.startTool(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startTool(options: ToolOptions): SpanHandle {
    return this.#startChild(options.name, { kind: "tool" }, options);
  }

  /** Any other step: a retriever, an embedding, an agent, an HTTP call. */
  span<T>(options: SpanOptions, run: (span: SpanHandle) => T): T {
    return runSpan(() => this.startSpan(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startSpan(options: SpanOptions): SpanHandle {
    const kind = options.kind ?? "internal";
    const agent = kind === "agent" ? { agent: options.name } : {};
    return this.#startChild(options.name, { kind, ...agent }, options);
  }

  /** Runs `work` as the body of this span: spans of other instrumentations started in it become children. */
  run<T>(work: () => T): T {
    return this.recorder.run(this, work);
  }

  #startChild(
    name: string,
    own: Pick<SpanFacts, "kind"> & Partial<SpanFacts>,
    content: { input?: unknown; attributes?: Record<string, unknown> },
  ): SpanHandle {
    const { facts, context } = this.recording;
    const recording = this.recorder.start(name, childFacts(facts, own), context);
    return new SpanHandle(this.recorder, recording, name).prepare(content);
  }
}

/** The facts of a child: its own, and what it inherits. */
function childFacts(parent: SpanFacts, own: Pick<SpanFacts, "kind"> & Partial<SpanFacts>): SpanFacts {
  const facts: SpanFacts = { execution: parent.execution, attributes: {}, changes: 0, ...own };
  if (facts.node === undefined && parent.node !== undefined) facts.node = parent.node;
  return facts;
}
