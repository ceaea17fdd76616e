import {
  ANALYTICS_GROUPS,
  type AnalyticsQuery,
  COST_GROUPS,
  type PruneReport,
  type PruneRequest,
  type SpanRecord,
} from "@spanloom/model";
import { equal, present } from "./assert.ts";
import type { Expected } from "./expected.ts";
import type { OpenStore, TestedStore } from "./harness.ts";
import { at, call, root, span, traceIdOf } from "./spans.ts";

/** Runs that grow old, pruning, and the sums that outlive them. */

export type Window = Omit<AnalyticsQuery, "groupBy">;

/** Three spans in the trace `trace`: a root at second `first` that lasts ten, a node in it and a model call. */
export function run(executionId: string, first: number, trace: number = first): SpanRecord[] {
  const fields = own(executionId, trace);
  return [
    root(executionId, first, { ...fields, endTime: at(first + 10) }),
    span(first + 1, first, { ...fields, kind: "node", nodeId: "n", nodeType: "loader" }),
    call(first + 2, first + 1, 10 + (first % 7), { ...fields, nodeId: "n" }),
  ];
}

export function own(executionId: string, trace: number): Pick<SpanRecord, "executionId" | "traceId"> {
  return { executionId, traceId: traceIdOf(trace) };
}

/** Prunes step by step until no more waits: one scope, or the whole store. */
export async function pruneAll(
  store: Pick<OpenStore, "prune">,
  request: PruneRequest,
): Promise<Pick<PruneReport, "executions" | "spans">> {
  const prune = present(store.prune, "prune").bind(store);
  const sum = { executions: 0, spans: 0 };
  for (let step = 0; step < 1_000; step++) {
    const { executions, spans, more } = await prune(request);
    sum.executions += executions;
    sum.spans += spans;
    if (!more) return sum;
  }
  throw new Error("prune says that more wait after a thousand steps");
}

export async function sumsOf(store: TestedStore, query: Window): Promise<unknown[]> {
  const sums: unknown[] = [];
  for (const groupBy of [undefined, ...COST_GROUPS]) {
    sums.push(await store.getDailyCosts({ ...query, ...(groupBy && { groupBy }) }));
  }
  for (const groupBy of [undefined, ...ANALYTICS_GROUPS]) {
    sums.push(await store.getAnalytics({ ...query, ...(groupBy && { groupBy }) }));
  }
  return sums;
}

export async function checkSums(store: TestedStore, expected: Expected, query: Window): Promise<void> {
  for (const groupBy of [undefined, ...COST_GROUPS]) {
    const asked = { ...query, ...(groupBy && { groupBy }) };
    equal(await store.getDailyCosts(asked), expected.dailyCosts(asked), `getDailyCosts by ${groupBy}`);
  }
  for (const groupBy of [undefined, ...ANALYTICS_GROUPS]) {
    const asked = { ...query, ...(groupBy && { groupBy }) };
    equal(await store.getAnalytics(asked), expected.analytics(asked), `getAnalytics by ${groupBy}`);
  }
}

/** The executions whose components were last active before. */
export function oldComponents(spans: readonly SpanRecord[], before: string): string[] {
  const group = new Map<string, Set<SpanRecord>>();
  for (const one of spans) {
    const keys = [`execution ${one.executionId}`, `trace ${one.traceId}`];
    const joined = new Set([one, ...keys.flatMap((key) => [...(group.get(key) ?? [])])]);
    for (const member of joined) {
      group.set(`execution ${member.executionId}`, joined).set(`trace ${member.traceId}`, joined);
    }
  }
  const isOld = ({ startTime, endTime = startTime }: SpanRecord): boolean =>
    BigInt(startTime) < BigInt(before) && BigInt(endTime) < BigInt(before);
  const ids = new Set<string>();
  for (const members of new Set(group.values())) {
    if (![...members].every(isOld)) continue;
    for (const { executionId } of members) ids.add(executionId);
  }
  return [...ids];
}
