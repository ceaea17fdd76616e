import type { SpanKind } from "@spanloom/model";
import { type NodeFacts, SpanFacts } from "./facts.ts";
import { addLlmFacts, type LlmOptions } from "./llm.ts";
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
    return this.#startChild(
      options.name ?? node.nodeId,
      this.#childFacts("node", node),
      options,
    ) as NodeHandle;
  }

  /** Calls a model. The span ends when `run` does; what `run` gives or throws is passed through. */
  llm<T>(options: LlmOptions, run: (llm: SpanHandle) => T): T {
    return runSpan(() => this.startLlm(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startLlm(options: LlmOptions): SpanHandle {
    const facts = this.#childFacts("llm");
    addLlmFacts(facts, options, this.recorder.problems);
    return this.#startChild(options.name ?? options.model, facts, options);
  }

  /** Calls a tool. The span ends when `run` does; what `run` gives or throws is passed through. */
  tool<T>(options: ToolOptions, run: (tool: SpanHandle) => T): T {
    return runSpan(() => this.startTool(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startTool(options: ToolOptions): SpanHandle {
    return this.#startChild(options.name, this.#childFacts("tool"), options);
  }

  /** Any other step: a retriever, an embedding, an agent, an HTTP call. */
  span<T>(options: SpanOptions, run: (span: SpanHandle) => T): T {
    return runSpan(() => this.startSpan(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startSpan(options: SpanOptions): SpanHandle {
    const facts = this.#childFacts(options.kind ?? "internal");
    if (facts.kind === "agent") facts.agent = options.name;
    return this.#startChild(options.name, facts, options);
  }

  /** Runs `work` as the body of this span: spans of other instrumentations started in it become children. */
  run<T>(work: () => T): T {
    return this.recorder.run(this, work);
  }

  #startChild(
    name: string,
    facts: SpanFacts,
    { input, attributes }: { input?: unknown; attributes?: Record<string, unknown> },
  ): SpanHandle {
    const recording = this.recorder.start(name, facts, this.recording.context);
    return new SpanHandle(this.recorder, recording, name).prepare(input, attributes);
  }

  #childFacts(kind: SpanKind, node: NodeFacts | undefined = this.recording.facts.node): SpanFacts {
    return new SpanFacts(this.recording.facts.execution, kind, node);
  }
}
