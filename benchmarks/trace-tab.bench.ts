// How long TraceTab takes to mount over a trace that is already in memory, and how many elements it makes:
// a production build in real Chromium, a new page for every round.
import { gzipSync } from "node:zlib";
import { against, type BenchBudget, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { type BuiltPage, openBuiltPage } from "./built-page.ts";

const SIZES = [500, 10_000, 100_000] as const;
const ROUNDS = 5;
const MAX_NODES = 2_000;
const MOUNT_BUDGET_MS: Partial<Record<(typeof SIZES)[number], number>> = { 10000: 150, 100000: 1_000 };

interface Round {
  mountMs: number;
  nodes: number;
}

export default async function traceTab(): Promise<BenchResult> {
  const built = await openBuiltPage("trace-tab");
  tellSize(built.files);
  try {
    // The first page of a browser pays for the browser.
    await measure(built, `?what=panel&spans=500`);
    const cases: BenchCase[] = [];
    const budgets: BenchBudget[] = [];
    for (const size of SIZES) {
      const panel = await rounds(built, `?what=panel&spans=${size}`);
      const plain = await rounds(built, `?what=plain&spans=${size}`);
      const spans = size.toLocaleString("en");
      const plainCase = summarize(
        `plain virtual list of ${spans} rows, mount`,
        "ms",
        plain.map((round) => round.mountMs),
      );
      const mountCase = summarize(
        `TraceTab of ${spans} spans, mount`,
        "ms",
        panel.map((round) => round.mountMs),
      );
      const nodesCase = summarize(
        `TraceTab of ${spans} spans, elements`,
        "nodes",
        panel.map((round) => round.nodes),
      );
      cases.push(plainCase, against(mountCase, plainCase), nodesCase);
      const limit = MOUNT_BUDGET_MS[size];
      if (limit !== undefined) budgets.push(budget(mountCase, limit));
      budgets.push(budget(nodesCase, MAX_NODES));
    }
    return { cases, budgets };
  } finally {
    await built.close();
  }
}

function budget({ name, unit, median }: BenchCase, limit: number): BenchBudget {
  const figure = (value: number): string =>
    `${value.toLocaleString("en", { maximumFractionDigits: 0 })} ${unit}`;
  return { what: name, limit: `<= ${figure(limit)}`, value: figure(median), ok: median <= limit };
}

async function rounds(built: BuiltPage, query: string): Promise<Round[]> {
  const results: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await measure(built, query));
  return results;
}

function measure(built: BuiltPage, query: string): Promise<Round> {
  return built.open(query, async (page) => {
    const mountMs = await page.evaluate(() => window.mount());
    const nodes = await page.evaluate(() => document.querySelectorAll(".sl-root, .sl-root *").length);
    return { mountMs, nodes };
  });
}

function tellSize(files: ReadonlyMap<string, Buffer>): void {
  const scripts = [...files].filter(([path]) => path.endsWith(".js")).map(([, body]) => body);
  const size = gzipSync(Buffer.concat(scripts)).byteLength / 1000;
  console.log(`The page with React, panel, fixtures and store: ${size.toFixed(0)} KB of script, gzip`);
}
