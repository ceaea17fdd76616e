import type { SpanKind } from "@spanloom/model";
import { placeBelow, runAt } from "./active-place.ts";
import {
  type BranchResults,
  type IterationOptions,
  iterate,
  type LoopOptions,
  type ParallelOptions,
  runLoop,
  runParallel,
} from "./branches.ts";
import { SpanFacts } from "./facts.ts";
import { type WaitOptions, waitIn } from "./human-wait.ts";
import {
  type AgentOptions,
  agentFacts,
  type EmbeddingOptions,
  type LlmOptions,
  modelFacts,
  type RetrieverOptions,
} from "./llm.ts";
import { type StreamOptions, traceStream } from "./llm-stream.ts";
import { type NodeHandle, type NodeOptions, nodeFacts } from "./node.ts";
import type { ProblemReporter } from "./problems.ts";
import { RecordedSpan } from "./recorded-span.ts";
import { type RetryOptions, retryNode } from "./retry.ts";
import { runSpan } from "./run-span.ts";
import { safeKind, safeName } from "./safe.ts";
import { type SubWorkflowOptions, subWorkflowFacts } from "./sub-workflow.ts";
import type { ToolOptions } from "./tool.ts";

export interface SpanOptions {
  name: string;
  /** Default `internal`. Nodes and workflows have methods of their own, and so have the kinds that know a model. */
  kind?: Exclude<SpanKind, "workflow" | "node">;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** What the options of every span have in common. */
interface Prepared {
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** A span that runs, and the way to start others below it. Nothing it does throws. */
export class SpanHandle extends RecordedSpan {
  #openStream: WeakRef<object> | undefined;

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
    return runSpan(this.startNode(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startNode(options: NodeOptions): NodeHandle {
    // The facts of a node hold both of what its handle promises.
    return this.#start("node", options, nodeFacts) as NodeHandle;
  }

  /** Tries a node again until it succeeds, with a span and an `attempt` for each try. Rejects with the last try's error. */
  retry<T>(options: RetryOptions, run: (node: NodeHandle) => T): Promise<Awaited<T>> {
    return retryNode(this, options, run);
  }

  /** Runs another workflow inside this execution: same trace, same totals, its nodes called `call/judge`. */
  workflow<T>(options: SubWorkflowOptions, run: (workflow: SpanHandle) => T): T {
    return runSpan(this.startWorkflow(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startWorkflow(options: SubWorkflowOptions): SpanHandle {
    return this.#start("workflow", options, subWorkflowFacts);
  }

  /** Runs `run` for each item, one after the other or several at once, in a span each. Resolves to the results in order. */
  loop<I, T>(options: LoopOptions<I>, run: (item: I, iteration: SpanHandle) => T): Promise<Awaited<T>[]> {
    return runLoop(this, options, run);
  }

  /** One pass of a loop that the host writes itself. */
  iteration<T>(options: IterationOptions, run: (iteration: SpanHandle) => T): T {
    return iterate(this, options, run);
  }

  /** Runs branches at once, in a span each. Resolves to what each gave, by its name; rejects when the first one fails. */
  parallel<B extends Record<string, (branch: SpanHandle) => unknown>>(
    options: ParallelOptions,
    branches: B,
  ): Promise<BranchResults<B>> {
    return runParallel(this, options, branches);
  }

  /** Waits for a human, or for something outside, inside the running code: the execution is `waiting` until `run` ends. */
  waitFor<T>(options: WaitOptions, run: (wait: SpanHandle) => T): T {
    return waitIn(this, options, run);
  }

  /** Calls a model. The span ends when `run` does; what `run` gives or throws is passed through. */
  llm<T>(options: LlmOptions, run: (llm: SpanHandle) => T): T {
    return runSpan(this.startLlm(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startLlm(options: LlmOptions): SpanHandle {
    return this.#start("llm", options, modelFacts);
  }

  /** Computes embeddings. The span ends when `run` does; what `run` gives or throws is passed through. */
  embedding<T>(options: EmbeddingOptions, run: (embedding: SpanHandle) => T): T {
    return runSpan(this.startEmbedding(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startEmbedding(options: EmbeddingOptions): SpanHandle {
    return this.#start("embedding", options, modelFacts);
  }

  /** Lets an agent work. The span ends when `run` does; what `run` gives or throws is passed through. */
  agent<T>(options: AgentOptions, run: (agent: SpanHandle) => T): T {
    return runSpan(this.startAgent(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startAgent(options: AgentOptions): SpanHandle {
    return this.#start("agent", options, agentFacts);
  }

  /** Searches for documents: give them as the output. The span ends when `run` does. */
  retriever<T>(options: RetrieverOptions, run: (retriever: SpanHandle) => T): T {
    return runSpan(this.startRetriever(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startRetriever(options: RetrieverOptions): SpanHandle {
    return this.#start("retriever", options, stepFacts);
  }

  /**
   * Gives a streamed answer on, chunk for chunk, and notes its first token, chunks, text, usage and end. A callback may
   * return the stream: its span, and those around it that return it, too, then end with the stream.
   */
  stream<C>(source: AsyncIterable<C>, options?: StreamOptions<C>): AsyncIterableIterator<C> {
    const traced = traceStream(this, source, options);
    this.#openStream = new WeakRef(traced);
    return traced;
  }

  /** @internal */
  get openStream(): object | undefined {
    return this.#openStream?.deref();
  }

  /** Calls a tool. The span ends when `run` does; what `run` gives or throws is passed through. */
  tool<T>(options: ToolOptions, run: (tool: SpanHandle) => T): T {
    return runSpan(this.startTool(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startTool(options: ToolOptions): SpanHandle {
    return this.#start("tool", options, stepFacts);
  }

  /** Any other step, such as an HTTP call. */
  span<T>(options: SpanOptions, run: (span: SpanHandle) => T): T {
    return runSpan(this.startSpan(options), run);
  }

  /** The same by hand: call `end` or `fail`. */
  startSpan(options: SpanOptions): SpanHandle {
    return this.#start(undefined, options, stepFacts);
  }

  /** Runs `work` as the body of this span: spans of other instrumentations started in it become children. */
  run<T>(work: () => T): T {
    return runAt(this, () => work());
  }

  /** The host's callback needs a handle, whatever was passed: options that cannot be read are left out. */
  #start<O extends Prepared, K extends SpanKind | undefined>(
    kind: K,
    options: O,
    read: (above: SpanFacts, options: O, problems: ProblemReporter, kind: K) => SpanFacts,
  ): SpanHandle {
    const { problems } = this.recorder;
    const above = this.recording.facts;
    try {
      return this.#startChild(read(above, options, problems, kind), options);
    } catch (error) {
      const message = "The options of a span could not be read; it was started without them.";
      problems.report("invalid_argument", kind ?? "span", message, error);
      return this.#startChild(read(above, {} as O, problems, kind), {});
    }
  }

  #startChild(facts: SpanFacts, { input, attributes }: Prepared): SpanHandle {
    return new SpanHandle(this.recorder, this.recorder.start(facts, placeBelow(this.recording))).prepare(
      input,
      attributes,
    );
  }
}

/** `kind`: where the options do not say it. */
function stepFacts(
  { execution, node }: SpanFacts,
  { name, kind: own }: SpanOptions,
  _problems: ProblemReporter,
  kind: SpanKind = safeKind(own),
): SpanFacts {
  return new SpanFacts(execution, kind, node, safeName(name, kind));
}
