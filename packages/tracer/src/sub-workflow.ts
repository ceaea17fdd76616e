import { type ExecutionFacts, SpanFacts } from "./facts.ts";
import type { ProblemReporter } from "./problems.ts";
import { safeId, safeName } from "./safe.ts";

export interface SubWorkflowOptions {
  /** The host's id of the other workflow. */
  workflowId: string;
  /** What people call it; the id where absent. */
  workflowName?: string;
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/**
 * What spans of a workflow carry that runs inside an execution of another one: they stay in its trace and its totals, say
 * which workflow they belong to, and their nodes have ids such as `call/judge`.
 */
export function subWorkflowFacts(
  above: SpanFacts,
  { workflowId, workflowName }: SubWorkflowOptions,
  problems: ProblemReporter,
): SpanFacts {
  const { workflowName: _of, ...shared } = above.execution;
  const id = safeId(workflowId, "workflow", problems);
  const execution: ExecutionFacts = {
    ...shared,
    workflowId: id,
    nodePrefix: above.node?.nodeId ?? (shared.nodePrefix === undefined ? id : `${shared.nodePrefix}/${id}`),
    ...(workflowName !== undefined && workflowName !== null && { workflowName: safeName(workflowName, id) }),
  };
  const name = execution.workflowName ?? id;
  return new SpanFacts(execution, "workflow", above.node, name);
}
