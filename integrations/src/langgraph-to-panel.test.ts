import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionDetail, RunMetrics, SpanRecord, TracePage } from "@spanloom/model";
import { allowAll, createHandler } from "@spanloom/server";
import { createHttpStore, type HttpStore } from "@spanloom/store/http";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { traceLangGraph } from "@spanloom/tracer/langgraph";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createModels, demoPrices } from "../../examples/studio/models/create-models.ts";
import { createDocumentBrief } from "../../examples/studio/workflows/document-brief.ts";
import { createInvoiceTriage } from "../../examples/studio/workflows/invoice-triage.ts";

const scope = "flow";
let folder = "";
let host: Host;

/** What a host has between its workflows and the browser. */
interface Host {
  tracer: WorkflowTracer;
  browser: HttpStore;
  close(): Promise<void>;
}

function openHost(): Host {
  const store = createSqliteStore({ path: join(folder, "spanloom.db"), retention: false });
  const tracer = createWorkflowTracer({ store, scope, pricing: { overrides: demoPrices } });
  const handler = createHandler({ store, authorize: allowAll({ scope }), basePath: "/api/spanloom" });
  const browser = createHttpStore({
    baseUrl: "http://host.test/api/spanloom",
    fetch: (url, init) => handler(new Request(url, init)),
  });
  return {
    tracer,
    browser,
    async close() {
      await tracer.shutdown();
      await store.close();
    },
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spanloom-flow-"));
  host = openHost();
});

afterEach(async () => {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reported {
  model: string;
  input: number;
  output: number;
}

/** Listens at the models themselves, beside the tracer. */
function listen(): { reported: Reported[]; callbacks: { handleLLMEnd(result: unknown): void }[] } {
  const reported: Reported[] = [];
  const handleLLMEnd = (result: unknown): void => {
    const { message } = (result as { generations: { message: LocalAnswer }[][] }).generations[0]?.[0] ?? {};
    if (!message) throw new Error("A model ended without an answer.");
    reported.push({
      model: message.response_metadata.model_name,
      input: message.usage_metadata.input_tokens,
      output: message.usage_metadata.output_tokens,
    });
  };
  return { reported, callbacks: [{ handleLLMEnd }] };
}

interface LocalAnswer {
  usage_metadata: { input_tokens: number; output_tokens: number };
  response_metadata: { model_name: string };
}

function costOf(calls: readonly Reported[]): number {
  return calls.reduce((sum, { model, input, output }) => {
    const prices = Object.entries(demoPrices).find(([name]) => name === `local/${model}`)?.[1];
    return (
      sum + (prices ? Math.round((input * prices.inputPerMTok + output * prices.outputPerMTok) * 1_000) : 0)
    );
  }, 0);
}

const sumOf = (calls: readonly Reported[], field: "input" | "output"): number =>
  calls.reduce((sum, call) => sum + call[field], 0);

const runs = [
  { workflow: createInvoiceTriage, documentId: "invoices/lindqvist-7731.csv" },
  { workflow: createInvoiceTriage, documentId: "invoices/harrow-street-0118.txt" },
  { workflow: createDocumentBrief, documentId: "handbook/expense-policy.md" },
  { workflow: createDocumentBrief, documentId: "emails/coworking-desk.eml" },
];

describe.each(runs)("a run over $documentId", ({ workflow, documentId }) => {
  test("reads in the browser as the models reported it, each call once", async () => {
    const graph = workflow(await createModels("quick", 0));
    const { reported, callbacks } = listen();
    const traced = traceLangGraph(graph, host.tracer, { workflowId: "flow", executionId: "run-1" });
    const result = await traced.invoke({ documentId }, { callbacks });
    expect(result).toEqual(await workflow(await createModels("quick", 0)).invoke({ documentId }));
    expect(await host.tracer.flush()).toBe(true);

    const detail = await host.browser.getExecution("run-1");
    expect(detail).toMatchObject({
      status: "completed",
      workflowId: "flow",
      openSpanCount: 0,
      usage: {
        items: reported.length,
        input: sumOf(reported, "input"),
        output: sumOf(reported, "output"),
        total: sumOf(reported, "input") + sumOf(reported, "output"),
      },
    });
    expect(detail?.cost.nanoUsd).toBe(costOf(reported));
    const unpriced = reported.filter(({ model }) => model === "local-tagger").length;
    expect(detail?.cost).toMatchObject({ priced: reported.length - unpriced, unpriced });

    const sums = [...(detail?.nodes ?? []), ...(detail ? [detail.outsideNodes] : [])];
    expect(sums.reduce((sum, { usage }) => sum + (usage.input ?? 0), 0)).toBe(sumOf(reported, "input"));
    expect(sums.reduce((sum, { cost }) => sum + (cost.nanoUsd ?? 0), 0)).toBe(costOf(reported));
    const metrics = await host.browser.getRunMetrics("run-1");
    expect(metrics?.usage).toEqual(detail?.usage);
    const days = await host.browser.getDailyCosts({ days: 7, timeZone: "Pacific/Auckland" });
    expect(days.days.reduce((sum, { cost }) => sum + (cost.nanoUsd ?? 0), 0)).toBe(costOf(reported));
  });
});

test("a node that was tried twice shows both tries, and the run is completed all the same", async () => {
  const graph = createInvoiceTriage(await createModels("quick", 0));
  const traced = traceLangGraph(graph, host.tracer, { workflowId: "flow", executionId: "run-1" });
  await traced.invoke({ documentId: "invoices/lindqvist-7731.csv" });
  await host.tracer.flush();
  const detail = await host.browser.getExecution("run-1");
  expect(detail?.status).toBe("completed");
  expect(detail?.nodes.find(({ nodeId }) => nodeId === "convert_currency")).toMatchObject({
    attempts: 2,
    status: "completed",
  });
});

test("a run that fails gives the host its own error, and the trace says where and why", async () => {
  const graph = createInvoiceTriage(await createModels("quick", 0));
  const traced = traceLangGraph(graph, host.tracer, { workflowId: "flow", executionId: "run-1" });
  await expect(traced.invoke({ documentId: "invoices/brightwater-8841.csv" })).rejects.toThrow(
    'brightwater-8841.csv, line 9: "12O.00" is not a number',
  );
  await host.tracer.flush();
  const trace = await host.browser.getTrace("run-1");
  expect(trace?.execution).toMatchObject({ status: "failed", nodeCount: 1 });
  const node = trace?.spans.find(({ nodeId }) => nodeId === "read_document");
  expect(node?.status).toMatchObject({ code: "error", message: expect.stringContaining("line 9") });
});

test("everything is still there after the host has started again", async () => {
  const graph = createDocumentBrief(await createModels("quick", 0));
  const traced = traceLangGraph(graph, host.tracer, { workflowId: "flow", executionId: "run-1" });
  await traced.invoke({ documentId: "emails/event-invoice.eml" });
  await host.tracer.flush();
  const before = await readAll(host.browser);
  await host.close();
  host = openHost();
  expect(await readAll(host.browser)).toEqual(before);
  expect(before.trace?.spans.length).toBeGreaterThan(10);
});

async function readAll(store: HttpStore): Promise<Everything> {
  return {
    detail: await store.getExecution("run-1"),
    trace: await store.getTrace("run-1", { view: "full" }),
    metrics: await store.getRunMetrics("run-1"),
  };
}

interface Everything {
  detail: ExecutionDetail | undefined;
  trace: TracePage<SpanRecord> | undefined;
  metrics: RunMetrics | undefined;
}
