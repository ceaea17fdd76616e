import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Studio, startStudio, temporaryFolder } from "./support/studio.ts";
import { openBrowser, type Visitor } from "./support/visit.ts";

const data = temporaryFolder();
let studio: Studio;
let visitor: Visitor;
let executionId = "";
let spanId = "";

beforeAll(async () => {
  studio = await startStudio(data.path);
  visitor = await openBrowser();
  const failed = (await studio.executions("invoice-triage")).find(({ spanCount }) => spanCount > 20);
  executionId = failed?.executionId ?? "";
  const trace = await studio.store.getTrace(executionId);
  spanId = trace?.spans.find(({ kind }) => kind === "llm")?.spanId ?? "";
});

afterAll(async () => {
  await visitor?.close();
  await studio?.stop();
  data.remove();
});

/** Every page, and a text that shows it has what it reads. */
const pages: [name: string, path: () => string, ready: string][] = [
  ["start", () => "/", "Handbook index · The whole handbook"],
  ["overview", () => "/workflows/invoice-triage", "Reads an invoice"],
  ["execution", () => `/workflows/invoice-triage?tab=execution&execution=${executionId}`, "extract_fields"],
  ["trace", () => `/workflows/invoice-triage?tab=trace&execution=${executionId}`, "extract_fields"],
  [
    "span",
    () => `/workflows/invoice-triage?tab=trace&execution=${executionId}&span=${spanId}`,
    "Extract the fields of an invoice",
  ],
  ["analytics", () => "/monitoring?tab=analytics", "Document brief"],
  ["running", () => "/monitoring?tab=running", "Nothing is running"],
  ["run", () => `/runs/${executionId}`, "check_vendor"],
  ["unknown", () => "/nothing-here", "There is no such page"],
];

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  test.each(pages)("%s has no accessibility finding", async (_, path, ready) => {
    const { page, problems } = await visitor.open({ colorScheme });
    await page.goto(studio.url + path());
    await page.getByText(ready).first().waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    expect(found).toEqual([]);
    expect(problems).toEqual([]);
  });
});

test.each(pages)("%s needs no sideways scrolling at 390 pixels", async (_, path, ready) => {
  const { page } = await visitor.open({ viewport: { width: 390, height: 844 }, hasTouch: true });
  await page.goto(studio.url + path());
  await page.getByText(ready).first().waitFor();
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
});

test("the theme switch wins over the system, and is remembered", async () => {
  const { page } = await visitor.open({ colorScheme: "light" });
  await page.goto(studio.url);
  const background = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByLabel("Theme").selectOption("dark");
  expect(await background()).not.toBe(light);
  const dark = await background();
  await page.reload();
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  expect(await background()).toBe(dark);
});
