import type { TraceModel, TraceNode } from "./trace-model.ts";

/** Where a span stands among the tries of its node. */
export interface AttemptPlace {
  attempt: number;
  /** Highest try seen so far. */
  of: number;
  /** A later try followed: this one is drawn as a ghost. */
  superseded: boolean;
  /** Pre-order indices of the tries before it. */
  earlier: readonly number[];
}

/**
 * The tries of each node, by pre-order index of the try's own span. Only tries of one run of a node belong together:
 * a loop that comes back to the node starts at try 1 again. Nodes that were tried once have no entry.
 */
export function findAttempts(model: TraceModel): Map<number, AttemptPlace> {
  const runs = new Map<string, number[][]>();
  model.nodes.forEach((node, index) => {
    const { nodeId, attempt } = node.span;
    if (nodeId === undefined || attempt === undefined || node.parent?.span.nodeId === nodeId) return;
    const family = `${model.parents[index]} ${nodeId}`;
    const known = runs.get(family);
    const last = known?.at(-1);
    if (last !== undefined && attemptOf(model, last.at(-1) as number) < attempt) last.push(index);
    else if (known !== undefined) known.push([index]);
    else runs.set(family, [[index]]);
  });
  const places = new Map<number, AttemptPlace>();
  for (const run of [...runs.values()].flat()) {
    const of = attemptOf(model, run.at(-1) as number);
    if (of < 2) continue;
    run.forEach((index, at) => {
      places.set(index, {
        attempt: attemptOf(model, index),
        of,
        superseded: at < run.length - 1,
        earlier: run.slice(0, at),
      });
    });
  }
  return places;
}

function attemptOf(model: TraceModel, index: number): number {
  return (model.nodes[index] as TraceNode).span.attempt ?? 1;
}
