import type { SpanHandle } from "../span-handle.ts";
import { isObject } from "./langchain-content.ts";

interface Ended {
  name: string;
  step: number;
  span: SpanHandle;
  /** Where the node itself sent the run: by a conditional edge or a `Command`. */
  chosen: ReadonlySet<string>;
}

type Metadata = Readonly<Record<string, unknown>>;

/** Finds the edges that a run takes: for each node that starts, the nodes that led to it. */
export class TakenEdges {
  /** Those that each graph was built with, by its path of node names. */
  readonly #built = new Map<string, BuiltEdges>();
  /** For each graph, the last runs of each node. */
  readonly #ended = new Map<string, Map<string, Ended[]>>();

  constructor(graph: object) {
    readEdges(graph, "", this.#built, 0);
  }

  /** `answers`: what conditional edges of the node gave. */
  leave(span: SpanHandle, name: string, metadata: Metadata, answers: readonly unknown[]): void {
    const { namespace, step } = placeOf(metadata);
    const graph = this.#ended.get(namespace) ?? new Map<string, Ended[]>();
    this.#ended.set(namespace, graph);
    const ended = { name, step, span, chosen: new Set(answers.flatMap(targetsIn)) };
    const others = (graph.get(name) ?? []).filter((other) => other.step === step);
    graph.set(name, [...others, ended]);
  }

  /** Links `span` to the spans that its node was reached from. */
  enter(span: SpanHandle, name: string, metadata: Metadata): void {
    const { namespace, step } = placeOf(metadata);
    const path = namespace.replaceAll(/:[^|]*/g, "");
    const built = this.#built.get(path) ?? { direct: [], joins: [] };
    const ended = [...(this.#ended.get(namespace)?.values() ?? [])].flat();
    const before = ended.filter((other) => other.step === step - 1);
    const leads = (other: Ended, edges: Edge[]): boolean =>
      edges.some(([from, to]) => from === other.name && to === name);
    const sure = ended.filter(
      (other) =>
        leads(other, built.joins) ||
        (other.step === step - 1 && (other.chosen.has(name) || leads(other, built.direct))),
    );
    // A conditional edge may choose by a key of its own: where only one node ran before, it was that one.
    const from = sure.length > 0 || before.length !== 1 ? sure : before;
    if (from.length === 0) return;
    span.setAttributes({ "langgraph.from": [...new Set(from.map((other) => other.name))] });
    for (const other of from) span.addLink(other.span, { "langgraph.edge": `${other.name} -> ${name}` });
  }
}

function placeOf(metadata: Metadata): { namespace: string; step: number } {
  const own = String(metadata.langgraph_checkpoint_ns ?? "");
  return {
    namespace: own.slice(0, Math.max(0, own.lastIndexOf("|"))),
    step: Number(metadata.langgraph_step),
  };
}

/** A name, a `Send`, a `Command`, what a runnable makes of these, or several of them. */
function targetsIn(answer: unknown): string[] {
  if (typeof answer === "string") return [answer];
  if (Array.isArray(answer)) return answer.length > 10_000 ? [] : answer.flatMap(targetsIn);
  if (!isObject(answer)) return [];
  if (answer.lg_name === "Send") return typeof answer.node === "string" ? [answer.node] : [];
  if (answer.lg_name === "Command") return targetsIn(answer.goto);
  return typeof answer.output === "string" || Array.isArray(answer.output) ? targetsIn(answer.output) : [];
}

type Edge = readonly [from: string, to: string];

interface BuiltEdges {
  direct: Edge[];
  /** These wait for all nodes they come from, however long ago some ended. */
  joins: Edge[];
}

const MAX_DEPTH = 20;

/** Graphs of other makers have no edges that can be seen. */
function readEdges(graph: object, path: string, into: Map<string, BuiltEdges>, depth: number): void {
  const builder: unknown = Reflect.get(graph, "builder");
  const edges: BuiltEdges = { direct: [], joins: [] };
  if (isObject(builder)) {
    for (const [from, to] of pairsIn(builder.edges)) edges.direct.push([String(from), String(to)]);
    for (const [starts, to] of pairsIn(builder.waitingEdges))
      if (Array.isArray(starts)) for (const from of starts) edges.joins.push([String(from), String(to)]);
  }
  into.set(path, edges);
  const getSubgraphs: unknown = Reflect.get(graph, "getSubgraphs");
  if (typeof getSubgraphs !== "function" || depth > MAX_DEPTH) return;
  const subgraphs: Iterable<[string, object]> = getSubgraphs.call(graph);
  for (const [name, subgraph] of subgraphs)
    readEdges(subgraph, path === "" ? name : `${path}|${name}`, into, depth + 1);
}

function pairsIn(edges: unknown): [unknown, unknown][] {
  if (!(edges instanceof Set)) return [];
  return [...edges].flatMap((edge: unknown) => (Array.isArray(edge) ? [[edge[0], edge[1]]] : []));
}
