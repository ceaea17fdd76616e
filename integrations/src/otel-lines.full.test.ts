import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root as workspace } from "../../scripts/workspace.ts";
import { createApp, npmInstall, packPackages, pinned, runQuietly } from "./npm-host.test-support.ts";

const root = mkdtempSync(join(tmpdir(), "spanloom-otel-"));
let tarballs: Record<string, string> = {};

beforeAll(async () => {
  const packed = await packPackages(root);
  const ours = ["model", "pipeline", "metrics", "store", "tracer"].map((each) => `@spanloom/${each}`);
  tarballs = Object.fromEntries(ours.map((each) => [each, packed[each] ?? each]));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface OpenTelemetryHost {
  name: string;
  /** What it has before the tracer comes. */
  host: Record<string, string>;
  /** The package of its SDK, and that of Langfuse. */
  sdk?: string;
  langfuse?: string;
  /** The class of its provider, to try types with. */
  provider?: string;
}

interface Said {
  result: string;
  status: string;
  stored: {
    name: string;
    kind: string;
    nodeId?: string;
    spanId: string;
    parentSpanId?: string;
    usage?: object;
  }[];
  exported: { name: string; attributes: Record<string, unknown> }[];
  seenByTracerProcessor: { name: string; attributes: Record<string, unknown> }[];
  problems: unknown[];
}

const line2 = pinned("packages/tracer/package.json", [
  "@opentelemetry/api",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/context-async-hooks",
]);
const line3 = {
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/sdk-trace": "3.1.1",
  "@opentelemetry/context-async-hooks": "3.1.1",
};
const langfuse = { "@langfuse/otel": "5.11.1", "@opentelemetry/exporter-trace-otlp-http": "0.223.1" };

describe("the tracer installs with npm's strict peers and records in a host", () => {
  test.each<OpenTelemetryHost>([
    { name: "that has no OpenTelemetry", host: {} },
    {
      name: "on OpenTelemetry 2.x",
      host: line2,
      sdk: "@opentelemetry/sdk-trace-base",
      provider: "BasicTracerProvider",
    },
    {
      name: "on OpenTelemetry 3.x",
      host: line3,
      sdk: "@opentelemetry/sdk-trace",
      provider: "TracerProvider",
    },
    {
      name: "with @langfuse/otel",
      host: { ...line2, ...langfuse },
      sdk: "@opentelemetry/sdk-trace-base",
      langfuse: "@langfuse/otel",
    },
  ])("$name", async ({ name, host, sdk, langfuse: langfuseName, provider }) => {
    const folder = createApp(join(root, name.replaceAll(/\W+/g, "-")), ["otel-host.cjs"]);
    if (Object.keys(host).length > 0) await npmInstall(folder, host);
    await npmInstall(folder, tarballs);
    const names = [sdk, langfuseName].filter((each) => each !== undefined);
    const said: Said = JSON.parse(await runQuietly(process.execPath, ["otel-host.cjs", ...names], folder));

    expect(said).toMatchObject({ result: "pong", status: "completed", problems: [] });
    const stored = new Map(said.stored.map((span) => [span.name, span]));
    expect([...stored.keys()].toSorted()).toEqual(["ask", "gpt-4.1-mini", "ping", "their call"]);
    // Spans of other instrumentations join the node, whoever's provider they come from.
    expect(stored.get("their call")).toMatchObject({
      kind: "llm",
      nodeId: "ask",
      parentSpanId: stored.get("ask")?.spanId,
      usage: { input: 7 },
    });
    expect(stored.get("gpt-4.1-mini")).toMatchObject({ usage: { input: 10, output: 2 } });
    if (sdk === undefined) return;

    // The host's exporters get figures, and nobody's content.
    expect(said.exported.map((span) => span.name)).toContain("their call");
    expect(said.exported[0]?.attributes).toMatchObject({
      "gen_ai.request.model": "gpt-4.1-mini",
      "gen_ai.usage.input_tokens": 7,
    });
    expect(said.seenByTracerProcessor.map((span) => span.name)).toContain("gpt-4.1-mini");
    const sent = JSON.stringify([said.exported, said.seenByTracerProcessor]);
    expect(sent).not.toMatch(/(our own|their) (prompt|answer)/);
    if (langfuseName !== undefined) expect(said.exported.length).toBeGreaterThan(1);
    if (provider !== undefined) await checkTypes(folder, sdk, provider);
  });
});

/** What the tracer gives and takes fits the types of this SDK, as strictly as a host may be. */
async function checkTypes(folder: string, sdk: string, provider: string): Promise<void> {
  const batch = provider === "TracerProvider" ? "{ exporter }" : "exporter";
  const program = `
    import { ${provider}, BatchSpanProcessor, InMemorySpanExporter } from "${sdk}";
    import type { ReadableSpan, SpanProcessor } from "${sdk}";
    import { createMemoryStore } from "@spanloom/store";
    import { createWorkflowTracer } from "@spanloom/tracer";
    import { mirrorTo, redactingExporter, spanProcessor } from "@spanloom/tracer/otel";
    const exporter = redactingExporter<ReadableSpan>(new InMemorySpanExporter());
    const batch: SpanProcessor = new BatchSpanProcessor(${batch});
    const tracer = createWorkflowTracer({ store: createMemoryStore(), mirror: mirrorTo(batch) });
    export const provider = new ${provider}({ spanProcessors: [spanProcessor(tracer), batch] });
  `;
  writeFileSync(join(folder, "types.ts"), program);
  const compiler = join(workspace, "node_modules/typescript/bin/tsc");
  const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"];
  const types = ["--types", "node", "--typeRoots", join(workspace, "node_modules/@types")];
  const target = ["--target", "es2023", "--module", "nodenext"];
  await runQuietly(process.execPath, [compiler, ...strict, ...types, ...target, "types.ts"], folder);
}
