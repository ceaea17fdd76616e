import { type NodeFacts, SpanFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";
import { isCount, safeId, safeName } from "./safe.ts";
import type { SpanHandle } from "./span-handle.ts";

export interface NodeOptions {
  /** The host's id of the step; everything below the node carries it. */
  id: string;
  /** The kind of step in the host's words, such as `agent` or `review`. */
  type?: string;
  /** What the span is called; the id where absent. */
  name?: string;
  /** Which try this is, from 1. */
  attempt?: number;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** A node that runs. */
export interface NodeHandle extends SpanHandle {
  readonly nodeId: string;
  readonly attempt: number;
}

export function nodeFacts(
  { execution }: SpanFacts,
  { id, type, name = id, attempt = 1 }: NodeOptions,
  problems: ProblemReporter,
): SpanFacts {
  const own = safeId(id, "node", problems);
  const { nodePrefix } = execution;
  const node: NodeFacts = {
    nodeId: nodePrefix === undefined ? own : safeId(`${nodePrefix}/${own}`, "node", problems),
    attempt: isCount(attempt) && attempt > 0 ? attempt : 1,
  };
  if (type !== undefined) node.nodeType = String(type);
  return new SpanFacts(execution, "node", node, safeName(name, node.nodeId));
}
