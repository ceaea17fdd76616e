import { afterAll, beforeAll, expect, test } from "vitest";
import { type Studio, startStudio, temporaryFolder } from "./support/studio.ts";
import { openBrowser, type Visitor } from "./support/visit.ts";

const data = temporaryFolder();
let studio: Studio;
let visitor: Visitor;

beforeAll(async () => {
  studio = await startStudio(data.path);
  visitor = await openBrowser();
});

afterAll(async () => {
  await visitor?.close();
  await studio?.stop();
  data.remove();
});

test("the chart shows what the executions of the period cost, for 7 and for 30 days", async () => {
  const { page, problems } = await visitor.open();
  const { items } = await studio.store.listExecutions({ limit: 100 });
  const nanoUsd = items.reduce((sum, { cost }) => sum + (cost.nanoUsd ?? 0), 0);
  const shown = (nanoUsd / 1e9).toFixed(2);
  await page.goto(`${studio.url}/monitoring?tab=analytics`);
  const chart = page.getByRole("region", { name: "Cost by day" });
  await chart.getByText(`$${shown}`).first().waitFor();
  await chart.getByRole("button", { name: "30 days" }).click();
  await chart.getByRole("button", { name: "30 days", pressed: true }).waitFor();
  await chart.getByText(`$${shown}`).first().waitFor();
  expect(problems).toEqual([]);
});

test("the table sorts by cost, and a row opens the cost of each node with N/A where it is unknown", async () => {
  const { page, problems } = await visitor.open();
  const { items } = await studio.store.listExecutions({ sort: { by: "cost", direction: "desc" }, limit: 1 });
  const dearest = items[0];
  await page.goto(`${studio.url}/monitoring?tab=analytics`);
  const table = page.getByRole("region", { name: "Executions" });
  const header = table.getByRole("columnheader", { name: "Cost", exact: true });
  await header.getByRole("button").click();
  if ((await header.getAttribute("aria-sort")) !== "descending") await header.getByRole("button").click();
  const cost = `$${((dearest?.cost.nanoUsd ?? 0) / 1e9).toFixed(4)}`;
  await table.getByRole("row").nth(1).filter({ hasText: cost }).waitFor();

  const triage = table.getByRole("row").filter({ hasText: "Invoice triage" }).filter({ hasText: "Done" });
  await triage.first().click();
  await table.getByRole("row", { name: /^tag_line \d+ \d+ N\/A/ }).waitFor();
  await table.getByRole("row", { name: /^extract_fields \d+ \d+ \$/ }).waitFor();
  await table.getByRole("row", { name: /^Total [\d,]+ \d+ ≥ \$/ }).waitFor();
  expect(problems).toEqual([]);
});

test("an execution that ends appears by itself", async () => {
  const { page } = await visitor.open();
  await page.goto(`${studio.url}/monitoring?tab=analytics`);
  const table = page.getByRole("region", { name: "Executions" });
  const rows = table.getByRole("row").filter({ hasText: "Handbook index" });
  await rows.first().waitFor();
  const before = await rows.count();
  await fetch(`${studio.url}/api/studio/executions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ workflowId: "handbook-index", documentId: "handbook" }),
  });
  await rows.nth(before).waitFor();
});
