// @vitest-environment jsdom
import { makeSpan, sampleTrace } from "@spanloom/model/fixtures";
import { cleanup, screen, within } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { show, storeWith } from "../panel.test-support.tsx";
import { CostBreakdown } from "./CostBreakdown.tsx";

afterEach(cleanup);

test("a row for each node with input, output and cost; unknown is N/A; the last row is their sum", async () => {
  show(<CostBreakdown executionId="exec-invoice-1042" />, await storeWith(sampleTrace()));
  const table = await screen.findByRole("table");
  const rows = within(table)
    .getAllByRole("row")
    .map((row) => Array.from(row.children, (cell) => cell.textContent));
  expect(rows).toEqual([
    ["Node", "Input tokens", "Output tokens", "Cost"],
    ["load-documents", "N/A", "N/A", "N/A"],
    ["extract-fields", "5,990", "664", "$0.0141"],
    ["check-vendor", "949", "61", "$0.0020"],
    ["match-order", "733", "48", "N/A"],
    ["approve", "3,120", "402", "$0.0095"],
    ["Total", "10,792", "1,175", "≥ $0.0256"],
  ]);
  expect(screen.getByText("1 call without a known price is not in the total")).toBeDefined();
});

test("what belongs to no node has a row of its own, so that the rows add up", async () => {
  const outside = makeSpan({
    executionId: "e1",
    kind: "llm",
    usage: { input: 5, output: 2 },
    cost: { nanoUsd: 20_000_000, source: "reported" },
  });
  show(<CostBreakdown executionId="e1" />, await storeWith([outside]));
  expect(
    (await screen.findByRole("rowheader", { name: "Outside any node" })).closest("tr")?.textContent,
  ).toContain("$0.02");
});

test("says that an execution is not stored any more", async () => {
  show(<CostBreakdown executionId="gone" />, await storeWith([]));
  expect(await screen.findByText("This execution is not stored any more")).toBeDefined();
});
