import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import type { SpanHandle } from "../span-handle.ts";
import { isMessage, isObject, readAnswer, readMessage, readState } from "./langchain-content.ts";
import type { GraphNodes } from "./langgraph-nodes.ts";

export interface GraphRunOptions {
  nodes: GraphNodes;
  /** Called once, when LangGraph says that the whole run is over. */
  onSettled: (outcome: { error?: unknown; output?: unknown; interrupted: boolean }) => void;
}

/** Names that LangChain gives to glue nobody has named: no span for these, their children hang below what is above. */
const GLUE = /^(Runnable[A-Z]\w*|ChannelWrite|ChannelRead|Branch|LangGraph|__\w+)(<.*)?$/;

/** One run of a graph, seen through LangChain's callbacks. Runs come and end in any order; parents come before children. */
export class GraphRunHandler extends BaseCallbackHandler {
  override readonly name = "spanloom";
  // Otherwise LangChain calls handlers later, in the background, and times would be wrong.
  override awaitHandlers = true;
  override raiseError = false;
  readonly #tracer: WorkflowTracer;
  readonly #root: SpanHandle;
  readonly #options: GraphRunOptions;
  #rootRunId: string | undefined;
  #interrupted = false;
  /** For each run the span that its children hang below. */
  readonly #places = new Map<string, SpanHandle>();
  /** The runs that have a span of their own. */
  readonly #own = new Map<string, SpanHandle>();
  /** Model calls that did not say which model they ask, with their provider: the answer may say it. */
  readonly #nameless = new Map<string, string | undefined>();

  constructor(tracer: WorkflowTracer, root: SpanHandle, options: GraphRunOptions) {
    super();
    this.#tracer = tracer;
    this.#root = root;
    this.#options = options;
  }

  /**
   * LangChain's types and its calls disagree on the order of the last arguments, so parent and name are told apart by
   * what they are.
   */
  override handleChainStart(
    _chain: unknown,
    inputs: unknown,
    runId: string,
    fourth?: string,
    tags?: string[],
    metadata?: Record<string, unknown>,
    seventh?: string,
    eighth?: string,
  ): void {
    this.#guard(() => {
      const typedOrder = eighth !== undefined && this.#places.has(eighth);
      const [parentRunId, name] = typedOrder ? [eighth, seventh] : [fourth, eighth ?? seventh];
      if (this.#rootRunId === undefined) {
        this.#rootRunId = runId;
        this.#places.set(runId, this.#root);
        return;
      }
      const above = this.#above(parentRunId);
      this.#places.set(runId, above);
      this.#options.nodes.enter(runId, parentRunId);
      if (name === undefined || tags?.includes("langsmith:hidden")) return;
      const nodeName = metadata?.langgraph_node;
      if (nodeName === name && tags?.some((tag) => tag.startsWith("graph:step:"))) {
        this.#enter(runId, this.#options.nodes.start(above, runId, name, inputs, metadata));
      } else if (!GLUE.test(name)) {
        this.#enter(runId, above.startSpan({ name, input: readState(inputs) }));
      }
    });
  }

  override handleChainEnd(outputs: unknown, runId: string): void {
    this.#guard(() => {
      if (runId === this.#rootRunId) {
        this.#options.onSettled({ output: readState(outputs), interrupted: this.#interrupted });
        return;
      }
      // Reading what the host gave may throw; its span ends all the same.
      this.#guard(() => this.#options.nodes.leave(runId, outputs, this.#own.get(runId)));
      this.#leave(runId, (span) => span.end({ output: readState(outputs) }));
    });
  }

  override handleChainError(error: unknown, runId: string): void {
    this.#guard(() => {
      if (runId === this.#rootRunId)
        return this.#options.onSettled({ error, interrupted: this.#interrupted });
      this.#guard(() => this.#options.nodes.leave(runId, undefined, undefined));
      this.#leave(runId, (span) => this.#endWith(span, error));
    });
  }

  /** The span of a run, or of what stands around it. */
  spanOf(runId: string): SpanHandle | undefined {
    return this.#places.get(runId);
  }

  override handleChatModelStart(
    llm: unknown,
    messages: unknown[][],
    runId: string,
    parentRunId?: string,
    extraParams?: Record<string, unknown>,
    _tags?: string[],
    metadata?: Record<string, unknown>,
  ): void {
    this.#guard(() => {
      const input = messages.flat().filter(isMessage).map(readMessage);
      this.#startModel(runId, parentRunId, input, llm, extraParams, metadata);
    });
  }

  override handleLLMStart(
    llm: unknown,
    prompts: string[],
    runId: string,
    parentRunId?: string,
    extraParams?: Record<string, unknown>,
    _tags?: string[],
    metadata?: Record<string, unknown>,
  ): void {
    const input = prompts.length === 1 ? prompts[0] : prompts;
    this.#guard(() => this.#startModel(runId, parentRunId, input, llm, extraParams, metadata));
  }

  override handleLLMNewToken(_token: string, _index: unknown, runId: string): void {
    this.#own.get(runId)?.firstToken();
  }

  override handleLLMEnd(result: unknown, runId: string): void {
    this.#guard(() =>
      this.#leave(runId, (span) => {
        const { messages, text, usage, finishReasons, model } = readAnswer(result);
        if (usage !== undefined) span.setUsage(usage);
        if (finishReasons.length > 0) span.setFinishReasons(finishReasons);
        if (model !== undefined && this.#nameless.has(runId)) span.setModel(model, this.#nameless.get(runId));
        this.#nameless.delete(runId);
        span.end({ output: messages.length > 0 ? messages : text });
      }),
    );
  }

  override handleLLMError(error: unknown, runId: string): void {
    this.#guard(() => this.#leave(runId, (span) => this.#endWith(span, error)));
  }

  override handleToolStart(
    tool: unknown,
    input: string,
    runId: string,
    parentRunId?: string,
    _tags?: string[],
    _metadata?: Record<string, unknown>,
    runName?: string,
    toolCallId?: string,
  ): void {
    this.#guard(() => {
      const span = this.#above(parentRunId).startTool({
        name: runName ?? classOf(tool) ?? "tool",
        input: parsed(input),
        ...(toolCallId !== undefined && { attributes: { "gen_ai.tool.call.id": toolCallId } }),
      });
      this.#enter(runId, span);
    });
  }

  override handleToolEvent(_chunk: unknown, runId: string): void {
    this.#own.get(runId)?.firstToken();
  }

  /** What the host's code dispatches by itself. Its data is content, and stays out of attributes. */
  override handleCustomEvent(eventName: string, _data: unknown, runId: string): void {
    this.#guard(() => void this.#places.get(runId)?.addEvent(eventName));
  }

  override handleToolEnd(output: unknown, runId: string): void {
    this.#guard(() => this.#leave(runId, (span) => span.end({ output: readState(output) })));
  }

  override handleToolError(error: unknown, runId: string): void {
    this.#guard(() => this.#leave(runId, (span) => this.#endWith(span, error)));
  }

  override handleRetrieverStart(
    retriever: unknown,
    query: string,
    runId: string,
    parentRunId?: string,
    _tags?: string[],
    _metadata?: Record<string, unknown>,
    name?: string,
  ): void {
    this.#guard(() => {
      const options = {
        kind: "retriever" as const,
        name: name ?? classOf(retriever) ?? "retriever",
        input: query,
      };
      this.#enter(runId, this.#above(parentRunId).startSpan(options));
    });
  }

  override handleRetrieverEnd(documents: unknown[], runId: string): void {
    this.#guard(() =>
      this.#leave(runId, (span) => {
        const found = documents
          .filter(isObject)
          .map(({ pageContent, metadata }) => ({ pageContent, metadata }));
        span.end({ output: found });
      }),
    );
  }

  override handleRetrieverError(error: unknown, runId: string): void {
    this.#guard(() => this.#leave(runId, (span) => this.#endWith(span, error)));
  }

  /** Nobody waits for the run any more: ends what is still open. */
  abandon(reason: Error): void {
    for (const runId of [...this.#own.keys()]) this.#leave(runId, (span) => span.fail(reason));
  }

  #startModel(
    runId: string,
    parentRunId: string | undefined,
    input: unknown,
    llm: unknown,
    extraParams: Record<string, unknown> = {},
    metadata: Record<string, unknown> = {},
  ): void {
    const params = isObject(extraParams.invocation_params) ? extraParams.invocation_params : {};
    const model = [metadata.ls_model_name, params.model, params.model_name, params.modelName].find(isText);
    const provider = isText(metadata.ls_provider) ? metadata.ls_provider : undefined;
    const above = this.#above(parentRunId);
    if (model !== undefined) {
      this.#enter(runId, above.startLlm({ model, input, ...(provider !== undefined && { provider }) }));
    } else {
      this.#nameless.set(runId, provider);
      this.#enter(runId, above.startSpan({ kind: "llm", name: classOf(llm) ?? "llm", input }));
    }
  }

  #above(parentRunId: string | undefined): SpanHandle {
    return (parentRunId === undefined ? undefined : this.#places.get(parentRunId)) ?? this.#root;
  }

  #enter(runId: string, span: SpanHandle): void {
    this.#places.set(runId, span);
    this.#own.set(runId, span);
  }

  #leave(runId: string, end: (span: SpanHandle) => void): void {
    const span = this.#own.get(runId);
    this.#own.delete(runId);
    // Its children have ended, but for strays, which then hang below the root.
    this.#places.delete(runId);
    if (span !== undefined) end(span);
  }

  /** LangGraph throws to wait for a human and to jump between graphs: neither is a failure. */
  #endWith(span: SpanHandle, error: unknown): void {
    const name = nameOf(error);
    if (name === "GraphInterrupt" || name === "NodeInterrupt") {
      this.#interrupted = true;
      span.addEvent("interrupt").end();
    } else if (name === "ParentCommand") span.end();
    else span.fail(error);
  }

  #guard(work: () => void): void {
    this.#tracer.guard("langgraph", work);
  }
}

/** Errors of the host may hold getters that throw: the span must end all the same. */
function nameOf(error: unknown): unknown {
  try {
    return isObject(error) ? error.name : undefined;
  } catch {
    return undefined;
  }
}

function classOf(serialized: unknown): string | undefined {
  const id = isObject(serialized) ? serialized.id : undefined;
  const last: unknown = Array.isArray(id) ? id.at(-1) : undefined;
  return isText(last) ? last : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
