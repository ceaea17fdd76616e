import type { NodeFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";
import { safeId } from "./safe.ts";
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
  { id, type, attempt = 1 }: NodeOptions,
  prefix: string | undefined,
  problems: ProblemReporter,
): NodeFacts {
  const own = safeId(id, "node", problems);
  const node: NodeFacts = {
    nodeId: prefix === undefined ? own : safeId(`${prefix}/${own}`, "node", problems),
    attempt: Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1,
  };
  if (type !== undefined) node.nodeType = String(type);
  return node;
}
