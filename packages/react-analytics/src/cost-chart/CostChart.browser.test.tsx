import type { ScopedStore, SpanRecord, TraceReader } from "@spanloom/model";
import { cleanup, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { call, cents, changed, show, storeWith } from "../panel.test-support.tsx";
import { CostChart } from "./CostChart.tsx";
import "@spanloom/react-core/styles.css";
import "../styles.css";

afterEach(cleanup);

const TODAY = "2026-11-20";

/** A reader whose last day is always the same. */
function endingToday(store: ScopedStore): TraceReader {
  return changed(store, { getDailyCosts: (query) => store.getDailyCosts({ lastDay: TODAY, ...query }) });
}

async function someDays(more: SpanRecord[] = []): Promise<ScopedStore> {
  return storeWith([
    call(TODAY, 1, cents(5)),
    call("2026-11-18", 2, cents(20)),
    call("2026-11-18", 3, { workflowId: "briefs", workflowName: "Briefs", ...cents(10) }),
    call("2026-11-02", 4, cents(40)),
    ...more,
  ]);
}

test("one bar a day for 7 or 30 days, in the provider's zone, with the period's sum", async () => {
  show(<CostChart />, endingToday(await someDays()), 900);
  await screen.findByRole("figure");
  expect(screen.getByText("$0.35")).toBeDefined();
  await waitFor(() => expect(bars()).toHaveLength(2));
  const [busy, today] = bars().map((bar) => bar.getBoundingClientRect().height);
  expect((busy ?? 0) / (today ?? 1)).toBeCloseTo(6, 0);
  await userEvent.click(screen.getByRole("button", { name: "30 days" }));
  await waitFor(() => expect(screen.getByText("$0.75")).toBeDefined());
  await waitFor(() => expect(bars()).toHaveLength(3));
  expect(screen.getByRole("button", { name: "30 days" }).getAttribute("aria-pressed")).toBe("true");
});

test("groups stack from the axis up, without gaps, in the order of the key", async () => {
  show(<CostChart />, endingToday(await someDays()), 900);
  await screen.findByRole("figure");
  await userEvent.selectOptions(screen.getByRole("combobox"), "workflow");
  await waitFor(() => expect(bars()).toHaveLength(3));
  const [invoices, , briefs] = bars().map((bar) => bar.getBoundingClientRect());
  expect(Math.abs((invoices?.top ?? 0) - (briefs?.bottom ?? 99))).toBeLessThanOrEqual(2);
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
    "invoices$0.25",
    "briefs$0.10",
  ]);
});

test("today is marked as not over, and a day that leaves something out as a lower bound or unknown", async () => {
  const unpriced = [call("2026-11-18", 5), call("2026-11-17", 6)];
  show(<CostChart />, endingToday(await someDays(unpriced)), 900);
  const figure = within(await screen.findByRole("figure"));
  expect(await figure.findByText("so far")).toBeDefined();
  expect(figure.getByText("≥")).toBeDefined();
  expect(figure.getByText("N/A")).toBeDefined();
  expect(screen.getByText("40% of calls have no known price")).toBeDefined();
  const paler = bars().filter((bar) => bar.getAttribute("fill")?.startsWith("color-mix"));
  expect(paler).toHaveLength(1);
});

test("the keyboard reads each day with exact figures", async () => {
  show(<CostChart defaultGroupBy="workflow" />, endingToday(await someDays()), 900);
  const figure = await screen.findByRole("figure");
  await waitFor(() => expect(bars()).toHaveLength(3));
  figure.querySelector<SVGElement>("svg[tabindex='0']")?.focus();
  for (let day = 0; day < 4; day++) await userEvent.keyboard("{ArrowRight}");
  await waitFor(() => expect(figure.querySelector(".sl-tooltip")?.textContent).toContain("Nov 18"));
  const tooltip = figure.querySelector(".sl-tooltip")?.textContent;
  expect(tooltip).toContain("$0.30");
  expect(tooltip).toMatch(/invoices\$0\.20briefs\$0\.10/);
});

test("the table says the same in words", async () => {
  const unknown = call("2026-11-17", 6, { workflowId: "drafts" });
  show(<CostChart defaultGroupBy="workflow" />, endingToday(await someDays([unknown])), 900);
  await screen.findByRole("figure");
  await userEvent.click(screen.getByRole("button", { name: "Table" }));
  const rows = screen.getAllByRole("row").map((row) => Array.from(row.children, (cell) => cell.textContent));
  expect(rows[0]).toEqual(["Day", "invoices", "briefs", "drafts", "Total", "Unpriced calls"]);
  expect(rows[4]).toEqual(["Nov 17", "—", "—", "N/A", "N/A", "1"]);
  expect(rows[5]).toEqual(["Nov 18", "$0.20", "$0.10", "—", "$0.30", "0"]);
  expect(rows[7]?.[0]).toBe("Nov 20so far");
});

test("says when there is no cost, and fills when an execution is recorded", async () => {
  const store = await storeWith([]);
  show(<CostChart />, endingToday(store), 900);
  expect(await screen.findByText("No cost in the last 7 days")).toBeDefined();
  await store.write([call(TODAY, 1, cents(5))]);
  await waitFor(() => expect(screen.getByRole("figure")).toBeDefined(), { timeout: 14_000 });
  expect(screen.getByText("$0.05")).toBeDefined();
});

test.each([1280, 390, 320])("fits a container of %d px and passes axe", async (widthPx) => {
  const { container } = show(<CostChart defaultGroupBy="workflow" />, endingToday(await someDays()), widthPx);
  await screen.findByRole("figure");
  await waitFor(() => expect(bars().length).toBeGreaterThan(0));
  expect(container.querySelector(".sl-root")?.scrollWidth).toBeLessThanOrEqual(widthPx);
  const { violations } = await axe.run(container, { rules: { region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

/** The drawn parts of bars, series by series. */
function bars(): Element[] {
  return Array.from(document.querySelectorAll(".recharts-bar-rectangle path.recharts-rectangle")).filter(
    (path) => path.getBoundingClientRect().height > 1,
  );
}
