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
const openTelemetry2 = pinned("packages/tracer/package.json", [
  "@opentelemetry/api",
  "@opentelemetry/sdk-trace",
  "@opentelemetry/resources",
]);
const openTelemetry3 = {
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/sdk-trace": "3.1.1",
  "@opentelemetry/resources": "3.1.1",
};
const langGraph = pinned("integrations/package.json", ["@langchain/core", "@langchain/langgraph", "zod"]);
let packed: Record<string, string> = {};
let app = "";

beforeAll(async () => {
  packed = await packPackages(root);
  app = createApp(join(root, "app"), files);
  await npmInstall(app, { ...packed, ...page, ...openTelemetry2, ...langGraph });
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
  await npmInstall(old, { ...packed, ...openTelemetry2, ...langGraph }, { strictPeers: false });
  await buildPage(old);
  expect(await complaintsOfPage(old)).toEqual([]);
});

interface OpenTelemetryHost {
  name: string;
  /** What it has before the tracer comes. */
  host: Record<string, string>;
  /** What it installs with the tracer. */
  added: Record<string, string>;
}

describe("the tracer installs with npm's strict peers and records in a host", () => {
  const api = pinned("packages/tracer/package.json", ["@opentelemetry/api", "@opentelemetry/sdk-trace-base"]);
  const langfuse = { "@langfuse/otel": "5.11.1", "@opentelemetry/exporter-trace-otlp-http": "0.223.1" };
  test.each<OpenTelemetryHost>([
    { name: "without OpenTelemetry", host: {}, added: openTelemetry3 },
    { name: "on OpenTelemetry 2.x", host: api, added: openTelemetry2 },
    { name: "on OpenTelemetry 3.x", host: openTelemetry3, added: {} },
    { name: "with @langfuse/otel", host: { ...api, ...langfuse }, added: openTelemetry2 },
  ])("$name", async ({ name, host, added }) => {
    const folder = createApp(join(root, name.replaceAll(/\W+/g, "-")), ["record.cjs"]);
    if (Object.keys(host).length > 0) await npmInstall(folder, host);
    const ours = ["model", "pipeline", "metrics", "store", "tracer"].map((each) => `@spanloom/${each}`);
    const tarballs = Object.fromEntries(ours.map((each) => [each, packed[each] ?? each]));
    await npmInstall(folder, { ...tarballs, ...added });
    expect(await runQuietly(process.execPath, ["record.cjs"], folder)).toContain('"result":"pong"');
  });
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
