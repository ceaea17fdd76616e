import type { Content } from "@spanloom/model";
import type { SpanFacts } from "../facts.ts";
import type { SpanHandle } from "../span-handle.ts";
import { isObject, readState } from "./langchain-content.ts";

/** What is known of one graph, or of one run of a subgraph, by its checkpoint namespace. */
interface GraphState {
  values: Content | undefined;
  /** Nodes of the step that runs. */
  step: SpanHandle[];
}

type NodeState = Pick<SpanFacts, "stateBefore" | "stateAfter">;

/**
 * Listens to a run's states through the stream that LangGraph hands down to subgraphs: the host's own stream gets the
 * same chunks as without it. A state comes when all nodes of a step have ended, and belongs to each of them.
 */
export class GraphStates {
  /** The modes that are listened to. LangGraph reads it. */
  readonly modes: ReadonlySet<string> = new Set(["values"]);
  /** It stopped for a human, by `interrupt()` or at a breakpoint. */
  interrupted = false;
  readonly #root: SpanHandle;
  readonly #guard: (work: () => void) => void;
  readonly #keep: boolean;
  readonly #graphs = new Map<string, GraphState>();

  constructor(root: SpanHandle, keep: boolean, guard: (work: () => void) => void) {
    this.#root = root;
    this.#keep = keep;
    this.#guard = guard;
  }

  /** Called by LangGraph for every chunk of the run, subgraphs included. */
  push([namespace, mode, values]: [namespace: string[], mode: string, values: unknown]): void {
    if (mode !== "values") return;
    this.#guard(() => {
      if (isObject(values) && "__interrupt__" in values) {
        this.interrupted = true;
        return;
      }
      if (!this.#keep) return;
      const graph = this.#graph(namespace.join("|"));
      const after = this.#root.recorder.contentOf(readState(values));
      for (const node of graph.step) amend(node, { stateBefore: undefined, stateAfter: after });
      graph.step = [];
      graph.values = after;
    });
  }

  /** A node starts. `namespace`: its own, such as `sub:<task>|check:<task>`. */
  enter(node: SpanHandle, namespace: string): void {
    if (!this.#keep) return;
    const cut = namespace.lastIndexOf("|");
    const graph = this.#graph(cut === -1 ? "" : namespace.slice(0, cut));
    if (graph.values !== undefined) amend(node, { stateBefore: graph.values, stateAfter: undefined });
    graph.step.push(node);
  }

  #graph(namespace: string): GraphState {
    let graph = this.#graphs.get(namespace);
    if (graph === undefined) {
      graph = { values: undefined, step: [] };
      this.#graphs.set(namespace, graph);
    }
    return graph;
  }

  /** LangGraph shows a run's config in some of its chunks: this is no part of it. */
  toJSON(): undefined {
    return undefined;
  }
}

/** Also after the node's end: what follows it is known when those beside it have ended. What the host set stays. */
function amend({ recorder, recording, ended }: SpanHandle, state: NodeState): void {
  const { facts, span } = recording;
  facts.stateBefore ??= state.stateBefore;
  facts.stateAfter ??= state.stateAfter;
  if (ended) recorder.provider.store.amend(span);
  else facts.changes++;
}
