import type { Artifact } from "@spanloom/model";
import type { TraceModel } from "./trace-model.ts";

/** What the summary says beyond the execution's own totals. */
export interface TraceFacts {
  /** First start to last end of one node, over all its tries; only nodes that ended. */
  slowest?: { name: string; durationMs: number; key: string };
  dearest?: { name: string; nanoUsd: number; key: string };
  artifacts: readonly FoundArtifact[];
}

export interface FoundArtifact {
  artifact: Artifact;
  /** The first span that carries it. */
  key: string;
}

interface NodeFacts {
  name: string;
  key: string;
  startMs: number;
  endMs: number;
  nanoUsd: number;
}

export function findFacts(model: TraceModel): TraceFacts {
  const byNode = new Map<string, NodeFacts>();
  const artifacts = new Map<string, FoundArtifact>();
  model.nodes.forEach(({ span, key }, index) => {
    for (const artifact of span.artifacts ?? []) {
      if (!artifacts.has(artifact.artifactId)) artifacts.set(artifact.artifactId, { artifact, key });
    }
    if (span.nodeId === undefined) return;
    const startMs = model.startMs[index] as number;
    const endMs = model.endMs[index] as number;
    const nanoUsd = model.ownCostNanoUsd[index] as number;
    const facts = byNode.get(span.nodeId);
    if (facts === undefined) {
      byNode.set(span.nodeId, { name: span.name, key, startMs, endMs, nanoUsd });
      return;
    }
    facts.startMs = Math.min(facts.startMs, startMs);
    facts.endMs = Math.max(facts.endMs, endMs);
    if (!Number.isNaN(nanoUsd)) facts.nanoUsd = (Number.isNaN(facts.nanoUsd) ? 0 : facts.nanoUsd) + nanoUsd;
  });
  const slowest = greatest(byNode, ({ startMs, endMs }) => endMs - startMs);
  const dearest = greatest(byNode, ({ nanoUsd }) => nanoUsd);
  return {
    ...(slowest && {
      slowest: { name: slowest.name, key: slowest.key, durationMs: slowest.endMs - slowest.startMs },
    }),
    ...(dearest && { dearest: { name: dearest.name, key: dearest.key, nanoUsd: dearest.nanoUsd } }),
    artifacts: [...artifacts.values()],
  };
}

/** NaN never wins, nor does 0: nothing is "dearest" where all is free. */
function greatest(
  byNode: Map<string, NodeFacts>,
  measure: (facts: NodeFacts) => number,
): NodeFacts | undefined {
  let best: NodeFacts | undefined;
  let value = 0;
  for (const facts of byNode.values()) {
    const own = measure(facts);
    if (own > value) {
      best = facts;
      value = own;
    }
  }
  return best;
}
