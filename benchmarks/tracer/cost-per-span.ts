// What a span costs each contender, all in one run, round by round.
import { against, type BenchCase, summarize } from "../bench.ts";
import { type Child, startChild } from "./children.ts";
import type { Round } from "./serve.ts";
import type { Payload } from "./workload.ts";

export interface Entry {
  name: string;
  file: string;
  variant?: string;
  /** The entry it is stated against. */
  base?: string;
}

export interface CostOptions {
  payload: Payload;
  rounds: number;
  /** Which CPU time; default the main thread's. */
  threads?: readonly ("main" | "all")[];
  env?: Record<string, string>;
}

const WARM_UP_ROUNDS = 3;
/** Some kernels count CPU time in steps of 4 ms: a round is many of them. */
const ROUND_MS = 250;

/** Interleaved, each time in another order: whoever goes second may pay for the other's heat. */
export async function costPerSpan(
  entries: readonly Entry[],
  { payload, rounds, threads = ["main"], env = {} }: CostOptions,
): Promise<BenchCase[]> {
  const children: Child[] = [];
  const spent: Round[][] = entries.map(() => []);
  try {
    for (const { file, variant = "" } of entries)
      children.push((await startChild(file, { args: [payload, variant], env })).child);
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
      for (let turn = 0; turn < entries.length; turn++) {
        const index = (turn + round) % entries.length;
        const cost = await (children[index] as Child).ask<Round>(ROUND_MS);
        if (round >= WARM_UP_ROUNDS) spent[index]?.push(cost);
      }
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
  return threads.flatMap((thread) => {
    const which = threads.length === 1 ? "" : thread === "all" ? ", all threads" : ", main thread";
    const measured = new Map<string, BenchCase>();
    for (const [index, { name, base = "" }] of entries.entries()) {
      const costs = spent[index] ?? [];
      const lost = costs.reduce((sum, cost) => sum + cost.lost, 0);
      const label = `${payload}: ${name}${which}${lost > 0 ? ` (${lost} spans lost)` : ""}`;
      const one = summarize(
        label,
        "us/span",
        costs.map((cost) => cost[thread]),
      );
      const other = measured.get(base);
      measured.set(name, other === undefined ? one : against(one, other));
    }
    return [...measured.values()];
  });
}
