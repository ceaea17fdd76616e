// Does a host that makes spans all day feel it: the delay of its event loop, and its heap.
import { type BenchBudget, type BenchCase, summarize } from "../bench.ts";
import { type Child, startChild } from "./children.ts";
import type { HeapUse } from "./heap.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { Payload } from "./workload.ts";

const LOOPS: readonly [name: string, payload: Payload, store: string][] = [
  ["no tracer", "S", ""],
  ["spanloom, memory store", "S", "memory"],
  ["spanloom, SQLite store", "S", "sqlite"],
  ["spanloom, SQLite store", "M", "sqlite"],
];
/** Of the longest delay, as the design has it for a write of 500 spans. */
const LONGEST_MS = 10;
const MEGABYTE = 1_000_000;
/** What V8 keeps for itself comes and goes: code, caches, feedback. */
const HEAP_SLACK = 2 * MEGABYTE;

/** Each in a process of its own. They take short turns: a neighbour that takes the machine for seconds hits all alike. */
export async function loopDelays(
  rounds: number,
  lengthMs: number,
): Promise<{ cases: BenchCase[]; budgets: BenchBudget[] }> {
  const measured: LoopDelay[][] = LOOPS.map(() => []);
  const children: Child[] = [];
  try {
    for (const [, payload, store] of LOOPS)
      children.push((await startChild("tracer/loop-delay.ts", { args: [payload, store] })).child);
    for (let round = 0; round < rounds; round++)
      for (const [index, child] of children.entries())
        measured[index]?.push(await child.ask<LoopDelay>(lengthMs));
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
  const cases: BenchCase[] = [];
  const budgets: BenchBudget[] = [];
  for (const [index, [who, payload]] of LOOPS.entries()) {
    const delays = measured[index] ?? [];
    const figures = (figure: keyof LoopDelay): number[] => delays.map((one) => one[figure]);
    const rate = summarize("", "", figures("spansPerSecond")).median;
    const name = `loop delay, ${payload}, ${Math.round(rate / 100) / 10}k spans/s, ${who}`;
    for (const figure of ["p50", "p99", "max"] as const)
      cases.push(summarize(`${name}, ${figure}`, "ms", figures(figure)));
    const p99 = cases.at(-2)?.median ?? Number.NaN;
    const lost = summarize(`${name}, lost`, "spans", figures("lost"));
    if (lost.max > 0) cases.push(lost);
    // The budget is for the same spans as the cost of one.
    if (index === 0 || payload !== "S") continue;
    budgets.push({
      what: `${name}, p99`,
      limit: `<= ${LONGEST_MS} ms, none lost`,
      value: `${p99.toFixed(2)} ms, ${lost.max} lost`,
      ok: p99 <= LONGEST_MS && lost.max === 0,
    });
  }
  return { cases, budgets };
}

/** After a collection, at growing numbers of spans of one process. */
export async function heapGrowth(
  stores: readonly string[],
  steps: readonly number[],
): Promise<{ cases: BenchCase[]; budgets: BenchBudget[] }> {
  const cases: BenchCase[] = [];
  const budgets: BenchBudget[] = [];
  for (const store of stores) {
    const who = store === "sqlite" ? "SQLite store" : "discarding sink";
    const { child } = await startChild("tracer/heap.ts", {
      args: ["S", store],
      nodeOptions: ["--expose-gc"],
    });
    const uses: HeapUse[] = [];
    try {
      for (const spans of steps) uses.push(await child.ask<HeapUse>(spans));
    } finally {
      await child.stop();
    }
    for (const [index, { heapUsed }] of uses.entries())
      cases.push(one(`heap after ${(steps[index] ?? 0).toLocaleString("en")} spans, ${who}`, heapUsed));
    cases.push(one(`peak resident memory, ${who}`, uses.at(-1)?.peakRss ?? Number.NaN));
    const grown = (uses.at(-1)?.heapUsed ?? Number.NaN) - (uses[0]?.heapUsed ?? Number.NaN);
    budgets.push({
      what: `heap growth from ${steps[0]?.toLocaleString("en")} to ${steps.at(-1)?.toLocaleString("en")} spans, ${who}`,
      limit: `<= ${HEAP_SLACK / MEGABYTE} MB`,
      value: `${(grown / MEGABYTE).toFixed(2)} MB`,
      ok: grown <= HEAP_SLACK,
    });
  }
  return { cases, budgets };
}

function one(name: string, bytes: number): BenchCase {
  return summarize(name, "MB", [bytes / MEGABYTE]);
}
