import { wireRunMetrics } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { notFound } from "../problems.ts";
import { respondJson } from "../respond.ts";

/** A run by stage: tokens, latency, cache. */
export async function getRunMetrics(call: Call): Promise<Response> {
  const metrics = await call.store.getRunMetrics(call.params.run_id ?? "");
  if (metrics === undefined) throw notFound();
  return respondJson(call, wireRunMetrics.encode(metrics));
}
