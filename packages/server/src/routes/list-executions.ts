import { readExecutionIds, readListExecutions, wireExecution } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { respondJson } from "../respond.ts";

/** A page of executions, or those that `ids` names, in that order. */
export async function listExecutions(call: Call): Promise<Response> {
  const ids = readExecutionIds(call.search);
  const page =
    ids === undefined
      ? await call.store.listExecutions(readListExecutions(call.query))
      : { items: await call.store.getExecutions(ids) };
  return respondJson(call, {
    items: page.items.map(wireExecution.encode),
    ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
  });
}
