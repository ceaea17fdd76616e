// How long TraceTab takes to mount over a trace that is already in memory, and how many elements it makes:
// a production build in real Chromium, a new page for every round.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { type Browser, chromium } from "playwright";
import { build, defaultClientConditions } from "vite";
import { findBrowser } from "../scripts/browser.ts";
import { against, type BenchBudget, type BenchCase, type BenchResult, summarize } from "./bench.ts";

const SIZES = [500, 10_000, 100_000] as const;
const ROUNDS = 5;
const MAX_NODES = 2_000;
const MOUNT_BUDGET_MS: Partial<Record<(typeof SIZES)[number], number>> = { 10000: 150, 100000: 1_000 };

interface Round {
  mountMs: number;
  nodes: number;
}

export default async function traceTab(): Promise<BenchResult> {
  const directory = mkdtempSync(join(tmpdir(), "spanloom-trace-tab-"));
  const files = await buildPage(directory);
  const server = await serve(files);
  const { executablePath, args } = await findBrowser();
  const browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
  try {
    const origin = `http://127.0.0.1:${portOf(server)}`;
    // The first page of a browser pays for the browser.
    await measure(browser, `${origin}/?what=panel&spans=500`);
    const cases: BenchCase[] = [];
    const budgets: BenchBudget[] = [];
    for (const size of SIZES) {
      const panel = await rounds(browser, `${origin}/?what=panel&spans=${size}`);
      const plain = await rounds(browser, `${origin}/?what=plain&spans=${size}`);
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
    await browser.close();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function budget({ name, unit, median }: BenchCase, limit: number): BenchBudget {
  const figure = (value: number): string =>
    `${value.toLocaleString("en", { maximumFractionDigits: 0 })} ${unit}`;
  return { what: name, limit: `<= ${figure(limit)}`, value: figure(median), ok: median <= limit };
}

async function rounds(browser: Browser, url: string): Promise<Round[]> {
  const results: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) results.push(await measure(browser, url));
  return results;
}

async function measure(browser: Browser, url: string): Promise<Round> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    await page.goto(url);
    await page.evaluate(() => window.loaded);
    const mountMs = await page.evaluate(() => window.mount());
    const nodes = await page.evaluate(() => document.querySelectorAll(".sl-root, .sl-root *").length);
    return { mountMs, nodes };
  } finally {
    await page.close();
  }
}

/** Builds the page as a host would, minified and in production mode. Gives its files by path. */
async function buildPage(directory: string): Promise<Map<string, Buffer>> {
  const result = await build({
    root: join(import.meta.dirname, "trace-tab"),
    configFile: false,
    logLevel: "error",
    mode: "production",
    plugins: [react()],
    resolve: {
      conditions: ["@spanloom/source", ...defaultClientConditions],
      dedupe: ["react", "react-dom"],
    },
    build: { outDir: directory, emptyOutDir: true },
  });
  const files = new Map<string, Buffer>();
  for (const output of [result].flat()) {
    if (!("output" in output)) continue;
    for (const { fileName } of output.output)
      files.set(`/${fileName}`, readFileSync(join(directory, fileName)));
  }
  const scripts = [...files].filter(([path]) => path.endsWith(".js")).map(([, body]) => body);
  const size = gzipSync(Buffer.concat(scripts)).byteLength / 1000;
  console.log(`The page with React, panel, fixtures and store: ${size.toFixed(0)} KB of script, gzip`);
  return files;
}

async function serve(files: Map<string, Buffer>): Promise<Server> {
  const types: Record<string, string> = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const file = files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return response.writeHead(404).end();
    response
      .writeHead(200, { "content-type": types[extname(path === "/" ? ".html" : path)] ?? "text/html" })
      .end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}
