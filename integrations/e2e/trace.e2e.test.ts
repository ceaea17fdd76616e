import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Studio, startStudio, temporaryFolder } from "./support/studio.ts";
import { lookAs, openBrowser, type Visitor } from "./support/visit.ts";

const data = temporaryFolder();
let studio: Studio;
let visitor: Visitor;

beforeAll(async () => {
  // Slow runs take long enough to be watched, the first runs do not.
  studio = await startStudio(data.path, { STUDIO_MODEL_DELAY_MS: "150" });
  visitor = await openBrowser();
});

afterAll(async () => {
  await visitor?.close();
  await studio?.stop();
  data.remove();
});

const rows = (page: Page, name?: RegExp): ReturnType<Page["getByRole"]> =>
  page.getByRole("treegrid", { name: "Spans" }).getByRole("row", name && { name });

async function openTrace(page: Page, workflowId: string, executionId: string, rest = ""): Promise<void> {
  await page.goto(`${studio.url}/workflows/${workflowId}?tab=trace&execution=${executionId}${rest}`);
  await rows(page).nth(1).waitFor();
}

/** The newest execution that has all of these nodes. */
async function executionWith(workflowId: string, ...nodeIds: string[]): Promise<string> {
  for (const { executionId } of await studio.executions(workflowId)) {
    const nodes = (await studio.store.getExecution(executionId))?.nodes.map(({ nodeId }) => nodeId) ?? [];
    if (nodeIds.every((id) => nodes.includes(id))) return executionId;
  }
  throw new Error(`No execution of ${workflowId} has the nodes ${nodeIds.join(", ")}.`);
}

describe("the trace of a workflow", () => {
  test("grows while the workflow runs, and is whole when it is done", async () => {
    // High enough that every row is there: the grid renders only what can be seen.
    const { page, problems } = await visitor.open({ viewport: { width: 1440, height: 1400 } });
    await page.goto(studio.url);
    const workflow = page.getByRole("region", { name: "Invoice triage" });
    await workflow.getByLabel("Document").selectOption({ label: "Harrow street 0118" });
    await workflow.getByLabel("Slow models").check();
    await workflow.getByRole("button", { name: "Start Invoice triage" }).click();

    await page.waitForURL(/tab=trace&execution=/);
    const panel = page.getByRole("region", { name: "Trace" });
    await panel.getByText("Running", { exact: true }).waitFor();
    const grid = page.getByRole("treegrid", { name: "Spans" });
    const countRows = async (): Promise<number> => Number(await grid.getAttribute("aria-rowcount"));
    const early = await countRows();
    await rows(page, /check_vendor/).waitFor();
    expect(await panel.getByText("Running", { exact: true }).count()).toBe(1);
    const later = await countRows();
    expect(later).toBeGreaterThan(early);

    await panel.getByText("Done", { exact: true }).waitFor();
    await rows(page, /ask_approval/).waitFor();
    expect(await countRows()).toBeGreaterThan(later);
    const executionId = new URL(page.url()).searchParams.get("execution") ?? "";
    const stored = await studio.store.getExecution(executionId);
    await panel.getByText(`${stored?.spanCount} spans`).waitFor();
    expect(problems).toEqual([]);
  });

  test("shows prompt, response, tokens and cost of the span that is selected", async () => {
    const { page, problems } = await visitor.open();
    const executionId = await executionWith("invoice-triage", "post_payment", "convert_currency");
    await openTrace(page, "invoice-triage", executionId);
    await rows(page, /local-reader/)
      .first()
      .click();

    const details = page.getByLabel("Span details");
    await details.getByText("Extract the fields of an invoice").waitFor();
    await details.getByText("Lindqvist Werkzeuge").first().waitFor();
    await details.getByText("LW-7731").last().waitFor();

    const spanId = new URL(page.url()).searchParams.get("span") ?? "";
    const span = await studio.store.getSpan(executionId, spanId);
    expect(span?.usage?.input).toBeGreaterThan(100);
    expect(span?.cost?.nanoUsd).toBeGreaterThan(0);
    await details.getByRole("tab", { name: "Usage & cost" }).click();
    await details.getByRole("row", { name: `Input ${span?.usage?.input}` }).waitFor();
    await details.getByRole("row", { name: `Output ${span?.usage?.output}` }).waitFor();
    const cost = `$${((span?.cost?.nanoUsd ?? 0) / 1e9).toString()}`;
    await details.getByText(cost).first().waitFor();

    await page.reload();
    await details.getByText("Extract the fields of an invoice").waitFor();
    expect(problems).toEqual([]);
  });

  test("tells tries of a node apart, and the one that failed", async () => {
    const { page } = await visitor.open();
    const executionId = await executionWith("invoice-triage", "convert_currency");
    await openTrace(page, "invoice-triage", executionId);
    await rows(page, /convert_currency.*try 1 of 2.*error/).waitFor();
    await rows(page, /convert_currency.*try 2 of 2/).waitFor();
  });

  test("finds spans by name and keeps only what failed", async () => {
    const { page } = await visitor.open();
    const executionId = await executionWith("invoice-triage", "refuse");
    await openTrace(page, "invoice-triage", executionId);

    await page.getByLabel("Search spans by name").fill("search_handbook");
    await page.getByText("2 matches").waitFor();
    await page.getByRole("button", { name: "Next match" }).click();
    await page.getByText("1 of 2").waitFor();
    await page.getByLabel("Search spans by name").fill("");

    await page.getByRole("button", { name: "Errors only" }).click();
    await rows(page, /extract_fields/).waitFor({ state: "detached" });
    await rows(page, /refuse/).click();
    await page.getByRole("tab", { name: "Events" }).click();
    await page.getByText("may not be paid. Copperline Electrical is blocked").first().waitFor();
  });

  test("never shows what a document says about keys and passwords", async () => {
    const { page } = await visitor.open();
    const { items } = await studio.store.listExecutions({ workflowId: "document-brief", limit: 100 });
    const texts: string[] = [];
    for (const { executionId } of items) {
      const trace = await studio.store.getTrace(executionId, { view: "full" });
      texts.push(JSON.stringify(trace));
    }
    const mail = texts.findIndex((text) => text.includes("A contractor sent me this"));
    expect(mail).toBeGreaterThanOrEqual(0);
    expect(texts[mail]).not.toContain("AKIAIOSFODNN7EXAMPLE");
    expect(texts[mail]).not.toContain("winter-Lantern-4417");

    await openTrace(page, "document-brief", items[mail]?.executionId ?? "");
    await rows(page, /local-tagger/).click();
    await page.getByText("A contractor sent me this").waitFor();
    await page
      .getByText(/^Redacted/)
      .first()
      .waitFor();
  });

  test("withholds content from an auditor, in the page and on the wire", async () => {
    const { page } = await visitor.open();
    const executionId = await executionWith("invoice-triage", "post_payment");
    await openTrace(page, "invoice-triage", executionId);
    await lookAs(page, "Auditor");
    const answer = page.waitForResponse((response) => response.url().includes("/spans/"));
    await rows(page, /local-reader/)
      .first()
      .click();
    expect(await (await answer).text()).not.toContain("Extract the fields");
    await page.getByText("Not permitted").first().waitFor();
    expect(await page.getByText("Extract the fields of an invoice").count()).toBe(0);
  });

  test("offers what a run made to download", async () => {
    const { page } = await visitor.open();
    const [execution] = await studio.executions("handbook-index");
    await openTrace(page, "handbook-index", execution?.executionId ?? "");
    const link = page.getByRole("link", { name: /handbook-index\.md/ }).first();
    const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const text = await (await download.createReadStream()).toArray();
    expect(Buffer.concat(text).toString()).toContain("# Handbook index");
  });

  test("follows the selected execution, however quickly it changes, and never shows another one", async () => {
    const { page, problems } = await visitor.open();
    const executions = (await studio.executions("document-brief")).slice(0, 6);
    const traceOf = new Map(executions.map(({ executionId, traceIds }) => [executionId, traceIds[0]]));
    const ids = [...traceOf.keys()];
    // The first answers come last.
    await page.route(/\/trace(\?|$)/, async (route) => {
      const place = ids.findIndex((id) => route.request().url().includes(id));
      await new Promise((resolve) => setTimeout(resolve, 40 * (ids.length - place)));
      await route.continue();
    });
    await openTrace(page, "document-brief", ids[0] ?? "");
    const watched = await page.evaluateHandle(() => {
      const seen: [asked: string, shown: string][] = [];
      new MutationObserver(() => {
        const chip = document.querySelector('[title^="trace ID: "]')?.getAttribute("title");
        const asked = new URLSearchParams(location.search).get("execution") ?? "";
        if (chip) seen.push([asked, chip.slice("trace ID: ".length)]);
      }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
      return seen;
    });
    const picker = page.getByRole("combobox", { name: "Execution" });
    for (let round = 0; round < 3; round++) for (const id of ids) await picker.selectOption(id);
    const last = ids.at(-1) ?? "";
    await page.locator(`[title="trace ID: ${traceOf.get(last)}"]`).waitFor();

    const seen = await watched.jsonValue();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter(([asked, shown]) => traceOf.get(asked) !== shown)).toEqual([]);
    expect(problems).toEqual([]);
  });
});
