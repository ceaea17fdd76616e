import { readDailyCosts, wireDailyCosts } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { respondJson } from "../respond.ts";

/** Costs by local day. */
export async function getDailyCosts(call: Call): Promise<Response> {
  return respondJson(call, wireDailyCosts.encode(await call.store.getDailyCosts(readDailyCosts(call.query))));
}
