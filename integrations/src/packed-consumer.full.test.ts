import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpStore } from "@spanloom/store/http";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser } from "../../scripts/browser.ts";
import {
  createApp,
  npmInstall,
  packPackages,
  pinned,
  runQuietly,
  startService,
} from "./npm-host.test-support.ts";

const root = mkdtempSync(join(tmpdir(), "spanloom-consumer-"));
const files = ["service.ts", "page.tsx", "index.html", "record.cjs"];
const page = {
  ...pinned("package.json", ["react", "react-dom", "@types/react", "@types/react-dom", "vite"]),
  ...pinned("package.json", ["@vitejs/plugin-react", "typescript", "@types/node"]),
};
const openTelemetry = pinned("packages/tracer/package.json", ["@opentelemetry/api"]);
const langGraph = pinned("integrations/package.json", ["@langchain/core", "@langchain/langgraph", "zod"]);
let packed: Record<string, string> = {};
let app = "";

beforeAll(async () => {
  packed = await packPackages(root);
  app = createApp(join(root, "app"), files);
  await npmInstall(app, { ...packed, ...page, ...openTelemetry, ...langGraph });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("an app with the packed packages", () => {
  test.each([
    { module: "nodenext", moduleResolution: "nodenext" },
    { module: "esnext", moduleResolution: "bundler" },
  ])("type-checks with $moduleResolution, the packages' own declarations included", async (resolution) => {
    const config = join(app, `tsconfig.${resolution.moduleResolution}.json`);
    const compilerOptions = {
      ...{ ...resolution, target: "es2023", lib: ["es2023", "dom", "dom.iterable"], types: ["node"] },
      ...{ jsx: "react-jsx", strict: true, skipLibCheck: false, noEmit: true },
    };
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ["service.ts", "page.tsx"] }));
    await runQuietly(process.execPath, ["node_modules/typescript/bin/tsc", "-p", config], app);
  });

  test("records into SQLite and serves what it recorded, to those who may see it", async () => {
    const { said, stop } = await startService(app, "service.ts");
    try {
      expect(said).toMatchObject({
        answer: "yes",
        failure: "Error: the ledger is closed",
        verdict: "approved",
        delivered: true,
        stats: { queued: 0, dropped: {} },
      });
      const baseUrl = `${(said as { url: string }).url}/api/spanloom`;
      const store = createHttpStore({ baseUrl });
      const { items } = await store.listExecutions({});
      expect(new Map(items.map(({ workflowId, status }) => [workflowId, status]))).toEqual(
        new Map([
          ["invoice-triage", "completed"],
          ["invoice-export", "failed"],
          ["invoice-review", "completed"],
        ]),
      );
      const triage = items.find(({ workflowId }) => workflowId === "invoice-triage");
      expect(triage).toMatchObject({
        usage: { input: 120, output: 30 },
        cost: { priced: 1, nanoUsd: 96_000 },
      });
      const trace = await (
        await fetch(`${baseUrl}/executions/${triage?.executionId}/trace?view=full`)
      ).text();
      expect(trace).toContain("Is invoice 1042 in order?");
      expect(trace).not.toContain("hunter2");
      const refused = await fetch(`${baseUrl}/executions`, { headers: { cookie: "user=nobody" } });
      expect(refused.status).toBe(401);
    } finally {
      await stop();
    }
  });

  test("loads through require, too", async () => {
    const printed = await runQuietly(process.execPath, ["record.cjs"], app);
    expect(JSON.parse(printed)).toEqual({
      result: "pong",
      stored: [{ workflowId: "ping", status: "completed" }],
    });
  });

  test("builds a page without Node's modules, drivers, prices or a tracer in it", async () => {
    const { sources, code } = await buildPage(app);
    expect(sources.some((source) => source.includes("@spanloom/store/dist/adapters/http"))).toBe(true);
    const foreign =
      /@spanloom\/(pipeline|tracer|server|metrics)\/|\/(sqlite|testing|fixtures|otlp)\/|genai-prices|better-sqlite3|@opentelemetry|@langchain|hono|__vite-browser-external|^node:/;
    expect(sources.filter((source) => foreign.test(source))).toEqual([]);
    expect(code).not.toMatch(/["']node:|createRequire|process\.env/);
  });

  test("shows its panels under a strict Content-Security-Policy", async () => {
    await buildPage(app);
    expect(await complaintsOfPage(app)).toEqual([]);
  });
});

test("React 18.3 shows the same page", async () => {
  const old = createApp(join(root, "react-18"), files);
  const react = {
    react: "18.3.1",
    "react-dom": "18.3.1",
    "@types/react": "18.3.31",
    "@types/react-dom": "18.3.7",
  };
  await npmInstall(old, { ...page, ...react });
  // npm's own strictness fails on @tanstack/react-table alone beside React 18; its default takes it.
  await npmInstall(old, { ...packed, ...openTelemetry, ...langGraph }, { strictPeers: false });
  await buildPage(old);
  expect(await complaintsOfPage(old)).toEqual([]);
});

async function buildPage(folder: string): Promise<{ sources: string[]; code: string }> {
  await runQuietly(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--sourcemap"], folder);
  const html = readFileSync(join(folder, "dist/index.html"), "utf8");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1];
  if (script === undefined) throw new Error(`The built page has no script:\n${html}`);
  const code = readFileSync(join(folder, "dist", script), "utf8");
  const map = JSON.parse(readFileSync(join(folder, "dist", `${script}.map`), "utf8")) as {
    sources: string[];
  };
  return { sources: map.sources, code };
}

/** Opens a recorded execution on the built page; gives what the browser had to say against it. */
async function complaintsOfPage(folder: string): Promise<string[]> {
  const { said, stop } = await startService(folder, "service.ts");
  const { executablePath, args } = await findBrowser();
  const browser = await chromium.launch({ args, ...(executablePath !== undefined && { executablePath }) });
  try {
    const complaints: string[] = [];
    const tab = await browser.newPage();
    tab.on("pageerror", (error) => complaints.push(error.message));
    tab.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    await tab.goto((said as { url: string }).url);
    const row = tab.getByRole("row", { name: /invoice-triage/ }).first();
    await row.getByText("Open", { exact: true }).click();
    await tab.getByRole("treegrid").getByText("gpt-4.1-mini").click();
    await tab.getByText("Is invoice 1042 in order?").first().waitFor();
    await tab.getByRole("heading", { name: "Latency" }).waitFor();
    return complaints;
  } finally {
    await browser.close();
    await stop();
  }
}
