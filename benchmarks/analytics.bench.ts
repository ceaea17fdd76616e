// How long CostChart and ExecutionHistoryTable take to mount over answers that are already in memory, against what a
// host would write without them: a production build in real Chromium, a new page for every round. And how much code
// the packages bring.
import { against, type BenchBudget, type BenchCase, type BenchResult, summarize } from "./bench.ts";
import { type BuiltPage, openBuiltPage } from "./built-page.ts";
import { ownCode } from "./own-code.ts";

const ROUNDS = 9;
const PAIRS = [
  { what: "chart", name: "CostChart, 30 days x 8 workflows", plain: "plain recharts, the same data" },
  { what: "table", name: "ExecutionHistoryTable, 50 rows", plain: "plain table, the same rows" },
] as const;
const OWN_CODE_KB = { "react-core": 8, "react-analytics": 12 };

export default async function analytics(): Promise<BenchResult> {
  const sizes = await measureCode();
  const built = await openBuiltPage("analytics");
  try {
    // The first page of a browser pays for the browser.
    await mount(built, `?what=plain-table`);
    const cases: BenchCase[] = [];
    for (const { what, name, plain } of PAIRS) {
      const ours: number[] = [];
      const theirs: number[] = [];
      // By turns, so that a slow moment of the machine falls on both.
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await mount(built, `?what=${what}`));
        theirs.push(await mount(built, `?what=plain-${what}`));
      }
      const base = summarize(`${plain}, mount`, "ms", theirs);
      cases.push(base, against(summarize(`${name}, mount`, "ms", ours), base));
    }
    return { cases: [...cases, ...sizes.cases], budgets: sizes.budgets };
  } finally {
    await built.close();
  }
}

async function measureCode(): Promise<BenchResult> {
  const cases: BenchCase[] = [];
  const budgets: BenchBudget[] = [];
  for (const [name, limitKb] of Object.entries(OWN_CODE_KB)) {
    const kb = (await ownCode(name)).bytes / 1000;
    const what = `${name}, own code, gzip`;
    cases.push(summarize(what, "KB", [kb]));
    budgets.push({ what, limit: `<= ${limitKb} KB`, value: `${kb.toFixed(1)} KB`, ok: kb <= limitKb });
  }
  return { cases, budgets };
}

function mount(built: BuiltPage, query: string): Promise<number> {
  return built.open(query, (page) => page.evaluate(() => window.mount()));
}
