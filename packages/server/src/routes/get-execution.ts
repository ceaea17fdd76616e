import { wireExecutionDetail } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { notFound } from "../problems.ts";
import { executionTag, respondJson } from "../respond.ts";

/** The summary with its segments and per-node breakdown. */
export async function getExecution(call: Call): Promise<Response> {
  const detail = await call.store.getExecution(call.params.execution_id ?? "");
  if (detail === undefined) throw notFound();
  return respondJson(call, wireExecutionDetail.encode(detail), executionTag(call, detail));
}
