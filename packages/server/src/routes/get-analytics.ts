import { readAnalytics, wireAnalytics } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { respondJson } from "../respond.ts";

/** What ran, what it cost and how long it took, by local days. */
export async function getAnalytics(call: Call): Promise<Response> {
  return respondJson(call, wireAnalytics.encode(await call.store.getAnalytics(readAnalytics(call.query))));
}
