import { afterAll, beforeAll, expect, test } from "vitest";
import { type Studio, startStudio, temporaryFolder } from "./support/studio.ts";
import { lookAs, openBrowser, type Visitor } from "./support/visit.ts";

const data = temporaryFolder();
const dashboards = {
  STUDIO_GRAFANA_URL: "http://grafana.example:3000",
  STUDIO_TEMPO_URL: "http://tempo.example:3200",
};
let studio: Studio;
let visitor: Visitor;

beforeAll(async () => {
  studio = await startStudio(data.path, { ...dashboards, STUDIO_MODEL_DELAY_MS: "400" });
  visitor = await openBrowser();
});

afterAll(async () => {
  await visitor?.close();
  await studio?.stop();
  data.remove();
});

test("shows tokens and latency by stage, and no zeros where no cache was asked", async () => {
  const { page, problems } = await visitor.open();
  const executions = await studio.executions("invoice-triage");
  const run = executions.find(({ errorCount, status }) => status === "completed" && errorCount > 0);
  await page.goto(`${studio.url}/runs/${run?.executionId}`);
  const metrics = page.getByRole("region", { name: "Run metrics" });

  expect(await metrics.getByText("Prompt tokens").count()).toBe(0);
  await metrics.getByRole("button", { name: "Show token usage" }).click();
  const input = run?.usage.input?.toLocaleString("en-US");
  await metrics.getByRole("row", { name: new RegExp(`^Total ${input}`) }).waitFor();
  await metrics.getByRole("row", { name: /^convert_currency.* 2/ }).waitFor();
  await metrics.getByText("slowest").waitFor();
  await metrics.getByText("No MCP calls in this run").waitFor();
  expect(problems).toEqual([]);
});

test("shows the cache of a run that asked one", async () => {
  const { page } = await visitor.open();
  const [run] = await studio.executions("handbook-index");
  await page.goto(`${studio.url}/runs/${run?.executionId}`);
  await page.getByRole("row", { name: /^library:tree:\* 0 1 0%/ }).waitFor();
  await page.getByRole("row", { name: /^library:blob:\* 0 3 0%/ }).waitFor();
});

test("counts on while a stage runs, and says that its tokens are not known yet", async () => {
  const { page } = await visitor.open();
  await page.goto(studio.url);
  const workflow = page.getByRole("region", { name: "Document brief" });
  await workflow.getByLabel("Slow models").check();
  await workflow.getByRole("button", { name: "Start Document brief" }).click();
  await page.getByRole("link", { name: "Run metrics" }).click();
  const metrics = page.getByRole("region", { name: "Run metrics" });
  await metrics.getByText("Running", { exact: true }).waitFor();
  await metrics.getByRole("button", { name: "Show token usage" }).click();
  await metrics.getByText("token usage will appear when complete").first().waitFor();
  await metrics.getByText("Done", { exact: true }).waitFor();
  expect(await metrics.getByText("token usage will appear when complete").count()).toBe(0);
});

test("links into Grafana and Tempo are there for operators alone", async () => {
  const { page } = await visitor.open();
  const [run] = await studio.executions("invoice-triage");
  const links = page.locator('a[href*="grafana.example"], a[href*="tempo.example"]');
  const trace = `/workflows/invoice-triage?tab=trace&execution=${run?.executionId}`;
  for (const path of [`/runs/${run?.executionId}`, trace]) {
    await page.goto(studio.url + path);
    await lookAs(page, "Operator");
    await page.getByRole("link", { name: /Open in Grafana/ }).waitFor();
    const href = await page.getByRole("link", { name: /Open in Grafana/ }).getAttribute("href");
    expect(href).toContain(`var-run_id=${run?.executionId}`);
    expect(
      await page.locator(`a[href="${dashboards.STUDIO_TEMPO_URL}/trace/${run?.traceIds[0]}"]`).count(),
    ).toBeGreaterThan(0);

    for (const role of ["Business user", "Auditor"] as const) {
      await lookAs(page, role);
      await links.first().waitFor({ state: "detached" });
      // The panel is there again, with what this role may see.
      await page
        .getByText(path === trace ? "synced" : "No MCP calls in this run")
        .first()
        .waitFor();
      expect(await links.count()).toBe(0);
      expect(await page.content()).not.toContain("grafana.example");
    }
  }
});

test("refuses a role that it does not know, and a write", async () => {
  const answer = await fetch(`${studio.url}/api/spanloom/executions`, {
    headers: { "x-studio-role": "root" },
  });
  expect(answer.status).toBe(403);
  expect(await answer.text()).not.toContain("invoice-triage");
  const write = await fetch(`${studio.url}/api/spanloom/spans`, { method: "POST", body: "{}" });
  expect(write.status).toBe(404);
  const start = await fetch(`${studio.url}/api/studio/executions`, {
    method: "POST",
    headers: { "x-studio-role": "auditor", "content-type": "application/json" },
    body: JSON.stringify({ workflowId: "handbook-index", documentId: "handbook" }),
  });
  expect(start.status).toBe(403);
});
