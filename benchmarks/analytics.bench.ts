// How long CostChart and ExecutionHistoryTable take to mount over answers that are already in memory, against what a
// host would write without them: a production build in real Chromium, a new page for every round. And how much code
// the packages bring.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import react from "@vitejs/plugin-react";
import { type Browser, chromium } from "playwright";
import { build, defaultClientConditions } from "vite";
import { findBrowser } from "../scripts/browser.ts";
import { ownCodeBytes } from "./analytics/own-code.ts";
import { against, type BenchBudget, type BenchCase, type BenchResult, summarize } from "./bench.ts";

const ROUNDS = 9;
const PAIRS = [
  { what: "chart", name: "CostChart, 30 days x 8 workflows", plain: "plain recharts, the same data" },
  { what: "table", name: "ExecutionHistoryTable, 50 rows", plain: "plain table, the same rows" },
] as const;
const OWN_CODE_KB = { "react-core": 8, "react-analytics": 12 };

export default async function analytics(): Promise<BenchResult> {
  const sizes = await measureCode();
  const directory = mkdtempSync(join(tmpdir(), "spanloom-analytics-"));
  const server = await serve(await buildPage(directory));
  const { executablePath, args } = await findBrowser();
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // The first page of a browser pays for the browser.
    await mount(browser, `${origin}/?what=plain-table`);
    const cases: BenchCase[] = [];
    for (const { what, name, plain } of PAIRS) {
      const ours: number[] = [];
      const theirs: number[] = [];
      // By turns, so that a slow moment of the machine falls on both.
      for (let round = 0; round < ROUNDS; round++) {
        ours.push(await mount(browser, `${origin}/?what=${what}`));
        theirs.push(await mount(browser, `${origin}/?what=plain-${what}`));
      }
      const base = summarize(`${plain}, mount`, "ms", theirs);
      cases.push(base, against(summarize(`${name}, mount`, "ms", ours), base));
    }
    return { cases: [...cases, ...sizes.cases], budgets: sizes.budgets };
  } finally {
    await browser.close();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureCode(): Promise<BenchResult> {
  const cases: BenchCase[] = [];
  const budgets: BenchBudget[] = [];
  for (const [name, limitKb] of Object.entries(OWN_CODE_KB)) {
    const kb = (await ownCodeBytes(name)) / 1000;
    const what = `${name}, own code, gzip`;
    cases.push(summarize(what, "KB", [kb]));
    budgets.push({ what, limit: `<= ${limitKb} KB`, value: `${kb.toFixed(1)} KB`, ok: kb <= limitKb });
  }
  return { cases, budgets };
}

async function mount(browser: Browser, url: string): Promise<number> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    await page.goto(url);
    await page.evaluate(() => window.loaded);
    return await page.evaluate(() => window.mount());
  } finally {
    await page.close();
  }
}

/** Builds the page as a host would, minified and in production mode. Gives its files by path. */
async function buildPage(directory: string): Promise<Map<string, Buffer>> {
  const result = await build({
    root: join(import.meta.dirname, "analytics"),
    configFile: false,
    logLevel: "error",
    mode: "production",
    plugins: [react()],
    resolve: {
      conditions: ["@spanloom/source", ...defaultClientConditions],
      dedupe: ["react", "react-dom", "recharts"],
    },
    build: { outDir: directory, emptyOutDir: true },
  });
  const outputs = [result].flat().flatMap((one) => ("output" in one ? one.output : []));
  return new Map(
    outputs.map(({ fileName }) => [`/${fileName}`, readFileSync(join(directory, fileName))] as const),
  );
}

async function serve(files: Map<string, Buffer>): Promise<Server> {
  const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css" };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(path)] ?? "text/html" }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
