import type { SpanKind } from "@spanloom/model";
import { type NodeFacts, SpanFacts } from "./facts.ts";
import { addLlmFacts, type LlmOptions } from "./llm.ts";
import { type NodeHandle, type NodeOptions, nodeFacts } from "./node.ts";
import { RecordedSpan } from "./recorded-span.ts";
import { runSpan } from "./run-span.ts";
import { safeKind, safeName } from "./safe.ts";
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
    // The facts of a node hold both of what its handle promises.
    try {
      const node = nodeFacts(options, this.recorder.problems);
      const facts = this.#childFacts("node", node);
      return this.#startChild(safeName(options.name, node.nodeId), facts, options) as NodeHandle;
    } catch (error) {
      const node: NodeFacts = { nodeId: "unnamed-node", attempt: 1 };
      return this.#startUnread(this.#childFacts("node", node), error) as NodeHandle;
    }
  }

  /** Calls a model. The span ends when `run` does; what `run` gives or throws is passed through. */
  llm<T>(options: LlmOptions, run: (llm: SpanHandle) => T): T {
    return runSpan(() => this.startLlm(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startLlm(options: LlmOptions): SpanHandle {
    try {
      const facts = this.#childFacts("llm");
      addLlmFacts(facts, options, this.recorder.problems);
      return this.#startChild(safeName(options.name, facts.model ?? "llm"), facts, options);
    } catch (error) {
      return this.#startUnread(this.#childFacts("llm"), error);
    }
  }

  /** Calls a tool. The span ends when `run` does; what `run` gives or throws is passed through. */
  tool<T>(options: ToolOptions, run: (tool: SpanHandle) => T): T {
    return runSpan(() => this.startTool(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startTool(options: ToolOptions): SpanHandle {
    try {
      return this.#startChild(safeName(options.name, "tool"), this.#childFacts("tool"), options);
    } catch (error) {
      return this.#startUnread(this.#childFacts("tool"), error);
    }
  }

  /** Any other step: a retriever, an embedding, an agent, an HTTP call. */
  span<T>(options: SpanOptions, run: (span: SpanHandle) => T): T {
    return runSpan(() => this.startSpan(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startSpan(options: SpanOptions): SpanHandle {
    try {
      const facts = this.#childFacts(options.kind === undefined ? "internal" : safeKind(options.kind));
      const name = safeName(options.name, facts.kind);
      if (facts.kind === "agent") facts.agent = name;
      return this.#startChild(name, facts, options);
    } catch (error) {
      return this.#startUnread(this.#childFacts("internal"), error);
    }
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

  /** For options that cannot be read: the host's callback needs a handle, whatever was passed. */
  #startUnread(facts: SpanFacts, error: unknown): SpanHandle {
    this.recorder.problems.report(
      "invalid_argument",
      facts.kind,
      "The options of a span could not be read; it was started without them.",
      error,
    );
    return this.#startChild(
      facts.node !== undefined && facts.kind === "node" ? facts.node.nodeId : facts.kind,
      facts,
      {},
    );
  }

  #childFacts(kind: SpanKind, node: NodeFacts | undefined = this.recording.facts.node): SpanFacts {
    return new SpanFacts(this.recording.facts.execution, kind, node);
  }
}
