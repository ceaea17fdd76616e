import type { SpanHandle } from "../span-handle.ts";
import { isObject, readState } from "./langchain-content.ts";
import type { TakenEdges } from "./langgraph-edges.ts";
import type { GraphStates } from "./langgraph-state.ts";

type Metadata = Readonly<Record<string, unknown>>;

interface RunningNode {
  name: string;
  metadata: Metadata;
  /** What ran directly inside it gave: its conditional edges are among that. */
  answers: unknown[];
}

/** The nodes of one run: their ids, attempts, states, and the edges between them. */
export class GraphNodes {
  readonly #edges: TakenEdges;
  readonly #states: GraphStates;
  readonly #nodeType: ((nodeId: string) => string | undefined) | undefined;
  /** Attempts of each task: LangGraph keeps a task's id when it tries again. */
  readonly #attempts = new Map<string, number>();
  readonly #running = new Map<string, RunningNode>();
  /** Runs directly inside a node, by the node's run. */
  readonly #inside = new Map<string, string>();

  constructor(
    edges: TakenEdges,
    states: GraphStates,
    nodeType: ((nodeId: string) => string | undefined) | undefined,
  ) {
    this.#edges = edges;
    this.#states = states;
    this.#nodeType = nodeType;
  }

  start(above: SpanHandle, runId: string, name: string, input: unknown, metadata: Metadata = {}): SpanHandle {
    const namespace = String(metadata.langgraph_checkpoint_ns ?? name);
    const attempt = (this.#attempts.get(namespace) ?? 0) + 1;
    this.#attempts.set(namespace, attempt);
    const id = nodeIdOf(namespace, name);
    const type = this.#nodeType?.(id);
    const step = metadata.langgraph_step;
    const node = above.startNode({
      id,
      name,
      attempt,
      input: readState(input),
      ...(type !== undefined && { type }),
      ...(typeof step === "number" && { attributes: { "langgraph.step": step } }),
    });
    this.#running.set(runId, { name, metadata, answers: [] });
    node.recorder.problems.guard("langgraph", () => {
      this.#edges.enter(node, name, metadata);
      this.#states.enter(node, namespace);
    });
    return node;
  }

  /** Another run starts, perhaps inside a node. */
  enter(runId: string, parentRunId: string | undefined): void {
    if (parentRunId !== undefined && this.#running.has(parentRunId)) this.#inside.set(runId, parentRunId);
  }

  /** A run ended, a node's or another one. `span`: the node's. */
  leave(runId: string, output: unknown, span: SpanHandle | undefined): void {
    const parent = this.#inside.get(runId);
    this.#inside.delete(runId);
    if (parent !== undefined) this.#running.get(parent)?.answers.push(output);
    const node = this.#running.get(runId);
    this.#running.delete(runId);
    if (node === undefined || span === undefined) return;
    const commands = (Array.isArray(output) ? output : [output]).filter(
      (one) => isObject(one) && one.lg_name === "Command",
    );
    this.#edges.leave(span, node.name, node.metadata, [...node.answers, ...commands]);
  }
}

/** `outer:<task>|inner:<task>` is the node `outer/inner`: nodes of a subgraph may be called as those of the graph are. */
function nodeIdOf(namespace: string, name: string): string {
  const path = namespace
    .split("|")
    .map((part) => part.slice(0, part.indexOf(":") === -1 ? undefined : part.indexOf(":")));
  return path.at(-1) === name ? path.join("/") : name;
}
