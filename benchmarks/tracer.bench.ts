// What a span costs the host, in one run with other tracers, and whether a host that makes them all day feels it.
import { type BenchBudget, type BenchOptions, type BenchResult, summarize } from "./bench.ts";
import { ownCode } from "./own-code.ts";
import { startChild } from "./tracer/children.ts";
import {
  contentContenders,
  deliveryContenders,
  NOTES,
  OUR_STYLES,
  smallContenders,
} from "./tracer/contenders.ts";
import { costPerSpan } from "./tracer/cost-per-span.ts";
import { installPeers } from "./tracer/peers.ts";
import { redactionThroughput } from "./tracer/redaction.ts";
import { heapGrowth, loopDelays } from "./tracer/steadiness.ts";

const LIMIT = 2;
const FULL = { small: 15, content: 7, delivery: 5, redaction: 9, loop: 5, loopMs: 2_000, millions: 1 };
const QUICK = { small: 5, content: 3, delivery: 3, redaction: 3, loop: 3, loopMs: 1_000, millions: 0.1 };

export default async function bench({ quick }: BenchOptions): Promise<BenchResult> {
  const size = quick ? QUICK : FULL;
  const withPeers = installPeers();
  const result: BenchResult = { cases: [], budgets: [await sizeBudget()], notes: [...NOTES] };
  const add = ({ cases = [], budgets = [] }: Partial<BenchResult>): void => {
    result.cases.push(...cases);
    result.budgets.push(...budgets);
  };

  const together = (await ownCode("tracer", true)).bytes / 1000;
  add({ cases: [summarize("tracer core with pipeline and model, gzip", "KB", [together])] });
  console.log("The cost of a span ...");
  add({ cases: await costPerSpan(smallContenders(withPeers), { payload: "S", rounds: size.small }) });
  result.budgets.push(...OUR_STYLES.map((name) => costBudget(result, `S: ${name}`)));
  for (const payload of ["M", "L"] as const)
    add({ cases: await costPerSpan(contentContenders(withPeers), { payload, rounds: size.content }) });
  console.log("With a store and a collector ...");
  add({ cases: await deliveryCosts(withPeers, size.delivery) });
  console.log("Redaction, the event loop, the heap ...");
  add(await redactionThroughput(size.redaction));
  add(await loopDelays(size.loop, size.loopMs));
  const steps = [100_000, 500_000, 1_000_000].map((spans) => spans * size.millions);
  add(await heapGrowth(["discard", "sqlite"], steps));
  return result;
}

function costBudget({ cases }: BenchResult, name: string): BenchBudget {
  // A row that lost spans is called otherwise, and keeps no budget.
  const ratio = cases.find((one) => one.name === name)?.ratioTo?.ratio ?? Number.NaN;
  return {
    what: `${name}: main-thread CPU per span, redaction and pricing on, against bare OpenTelemetry with a no-op exporter`,
    limit: `<= ${LIMIT}x`,
    value: `${ratio.toFixed(2)}x`,
    ok: ratio <= LIMIT,
  };
}

/** With what stands behind a tracer: also of the threads that do the work there. The collector is another process. */
async function deliveryCosts(withPeers: boolean, rounds: number): Promise<BenchResult["cases"]> {
  const { child, first } = await startChild("tracer/collector.ts");
  const options = { rounds, threads: ["main", "all"], env: { BENCH_COLLECTOR: String(first) } } as const;
  try {
    const cases: BenchResult["cases"] = [];
    for (const payload of ["S", "M"] as const)
      cases.push(...(await costPerSpan(deliveryContenders(withPeers), { ...options, payload })));
    return cases;
  } finally {
    await child.stop();
  }
}

const SIZE_LIMIT_KB = 15;

/** The tracer's own code, as a host's bundler would ship it. */
async function sizeBudget(): Promise<BenchBudget> {
  const { bytes, files } = await ownCode("tracer");
  for (const { file, bytes: part } of files)
    console.log(`${String(part).padStart(6)} bytes minified  ${file}`);
  const kilobytes = bytes / 1000;
  return {
    what: "tracer core, own code, minified and gzipped",
    limit: `<= ${SIZE_LIMIT_KB} KB`,
    value: `${kilobytes.toFixed(1)} KB`,
    ok: kilobytes <= SIZE_LIMIT_KB,
  };
}
