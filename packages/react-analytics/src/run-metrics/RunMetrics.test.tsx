// @vitest-environment jsdom
import { millisOf, nanosFromMillis, type PanelConfig, SpanloomError } from "@spanloom/model";
import { makeSpan, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { changed, show, storeWith, withConfig } from "../panel.test-support.tsx";
import { RunMetrics } from "./RunMetrics.tsx";

const INVOICE = "exec-invoice-1042";
const IN_PROGRESS = "Stage in progress — token usage will appear when complete";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe("token usage", () => {
  test("is folded away until asked for, then shows each stage and the total", async () => {
    show(<RunMetrics executionId={INVOICE} />, await storeWith(sampleTrace()));
    const section = within(await screen.findByRole("region", { name: "Token usage" }));
    expect(section.queryByRole("table")).toBeNull();
    const toggle = section.getByRole("button", { name: "Show token usage" });
    expect(toggle.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(toggle);
    expect(toggle.getAttribute("aria-expanded")).toBe("true");
    expect(rowsOf(section.getByRole("table"))).toEqual([
      ["Stage", "Prompt tokens", "Completion tokens", "Total tokens"],
      ["load-documents", "N/A", "N/A", "N/A"],
      ["extract-fields", "5,990", "664", "6,654"],
      ["check-vendor", "949", "61", "1,010"],
      ["match-order", "733", "48", "781"],
      ["approve", "3,120", "402", "3,522"],
      ["Total", "10,792", "1,175", "11,967"],
    ]);
  });

  test("a stage that runs has a note in place of figures, which come when it is complete", async () => {
    const store = await storeWith(runningTrace());
    show(<RunMetrics executionId={INVOICE} />, store);
    fireEvent.click(await screen.findByRole("button", { name: "Show token usage" }));
    const section = within(screen.getByRole("region", { name: "Token usage" }));
    const row = () => section.getByRole("rowheader", { name: "extract-fields" }).closest("tr");
    expect(row()?.textContent).toContain(IN_PROGRESS);
    await store.write(sampleTrace());
    await waitFor(() => expect(row()?.textContent).toContain("5,990"), { timeout: 4_000 });
    expect(section.queryByText(IN_PROGRESS)).toBeNull();
  });

  test("a stage that nobody ended is not in progress once its run is lost", async () => {
    const lost = runningTrace().map((span) =>
      span.parentSpanId === undefined
        ? {
            ...span,
            executionStatus: "failed" as const,
            endTime: nanosFromMillis(millisOf(span.startTime) + 12_000),
          }
        : span,
    );
    show(<RunMetrics executionId={INVOICE} />, await storeWith(lost));
    fireEvent.click(await screen.findByRole("button", { name: "Show token usage" }));
    expect(screen.queryByText(IN_PROGRESS)).toBeNull();
    const latency = within(screen.getByRole("region", { name: "Latency" }));
    const row = latency.getByText("extract-fields").closest("tr");
    expect(row?.textContent).toContain("not ended");
    expect(row?.textContent).toContain("N/A");
  });
});

describe("latency", () => {
  test("shows elapsed time and attempts of each stage, and marks the slowest", async () => {
    show(<RunMetrics executionId={INVOICE} />, await storeWith(sampleTrace()));
    const section = within(await screen.findByRole("region", { name: "Latency" }));
    expect(rowsOf(section.getByRole("table"))).toEqual([
      ["Stage", "Elapsed", "Attempts"],
      ["load-documents", "1.8 s", "1"],
      ["extract-fieldsslowest", "13 s", "2"],
      ["check-vendor", "3.2 s", "1"],
      ["match-order", "2.6 s", "1"],
      ["approve", "4.1 s", "1"],
    ]);
  });

  test("a running stage counts each second, until its final time takes the counter's place", async () => {
    vi.useFakeTimers();
    const start = Date.now();
    const stage = makeSpan({
      executionId: "e1",
      kind: "node",
      nodeId: "draft",
      name: "draft",
      startTime: nanosFromMillis(start),
      endTime: undefined,
    });
    const store = await storeWith([stage]);
    show(<RunMetrics executionId="e1" />, store);
    await act(() => vi.advanceTimersByTimeAsync(100));
    const elapsed = () =>
      screen.getByRole("rowheader", { name: /^draft/ }).closest("tr")?.children[1]?.textContent;
    const before = Number.parseInt(elapsed() ?? "", 10);
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(Number.parseInt(elapsed() ?? "", 10)).toBe(before + 1);
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(Number.parseInt(elapsed() ?? "", 10)).toBe(before + 2);
    await store.write([{ ...stage, endTime: nanosFromMillis(start + 8_400), revision: 1 }]);
    await act(() => vi.advanceTimersByTimeAsync(2_500));
    expect(elapsed()).toBe("8.4 s");
  });
});

describe("MCP cache", () => {
  test("shows hits, misses and ratio by keyspace, and overall", async () => {
    show(<RunMetrics executionId={INVOICE} />, await storeWith(sampleTrace()));
    const section = within(await screen.findByRole("region", { name: "MCP cache" }));
    expect(rowsOf(section.getByRole("table"))).toEqual([
      ["Keyspace", "Hits", "Misses", "Hit ratio"],
      ["documents:page:*", "2", "1", "66.7%"],
      ["ledger:mcp:tree:*", "0", "2", "0%"],
      ["ledger:mcp:vendor:*", "3", "1", "75%"],
      ["Overall", "5", "4", "55.6%"],
    ]);
  });

  test("a run without any access says so, and shows no zeroes", async () => {
    show(<RunMetrics executionId="e1" />, await storeWith([makeSpan({ executionId: "e1" })]));
    const section = within(await screen.findByRole("region", { name: "MCP cache" }));
    expect(section.getByText("No MCP calls in this run")).toBeDefined();
    expect(section.queryByRole("table")).toBeNull();
  });
});

describe("links into dashboards", () => {
  const config: PanelConfig = { roles: ["consumer"], contentPermitted: false };
  const links = {
    run: { label: "Open in Grafana", template: "https://grafana.example/d/runs?var-run_id={run_id}" },
    trace: { label: "View trace", template: "https://tempo.example/trace/{trace_id}" },
  };

  test("an operator finds the run's panel and each stage's trace, in new tabs", async () => {
    const [root] = sampleTrace();
    show(
      <RunMetrics executionId={INVOICE} />,
      withConfig(await storeWith(sampleTrace()), { ...config, links }),
    );
    const grafana = await screen.findByRole("link", { name: /^Open in Grafana/ });
    expect(grafana.getAttribute("href")).toBe(`https://grafana.example/d/runs?var-run_id=${INVOICE}`);
    const traces = screen.getAllByRole("link", { name: /^View trace of/ });
    expect(traces).toHaveLength(5);
    for (const link of [grafana, ...traces]) {
      expect(link.getAttribute("target")).toBe("_blank");
      expect(link.getAttribute("rel")).toContain("noopener");
    }
    expect(traces[0]?.getAttribute("href")).toBe(`https://tempo.example/trace/${root?.traceId}`);
  });

  test("for others they are not in the document, nor is their column", async () => {
    const { container } = show(
      <RunMetrics executionId={INVOICE} />,
      withConfig(await storeWith(sampleTrace()), config),
    );
    await screen.findByRole("region", { name: "Latency" });
    expect(container.querySelector("a")).toBeNull();
    expect(container.innerHTML).not.toMatch(/grafana|tempo|View trace/i);
  });

  test("a template that would run script makes no link", async () => {
    const evil = { run: { label: "Open", template: "javascript:alert('{run_id}')" } };
    show(
      <RunMetrics executionId={INVOICE} />,
      withConfig(await storeWith(sampleTrace()), { ...config, links: evil }),
    );
    await screen.findByRole("region", { name: "Latency" });
    expect(screen.queryByRole("link")).toBeNull();
  });
});

describe("states", () => {
  test("a run that is not there says what would appear", async () => {
    show(<RunMetrics executionId="none" />, await storeWith([]));
    expect(await screen.findByText("No run with this id")).toBeDefined();
  });

  test("an error offers to try again, and trying again works", async () => {
    let broken = true;
    const store = await storeWith(sampleTrace());
    const reader = changed(store, {
      getRunMetrics: (id) => (broken ? Promise.reject(denied("network_failed")) : store.getRunMetrics(id)),
    });
    show(<RunMetrics executionId={INVOICE} />, reader);
    const alert = await screen.findByRole("alert", {}, { timeout: 5_000 });
    expect(alert.textContent).toContain("network_failed");
    broken = false;
    fireEvent.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("region", { name: "Latency" })).toBeDefined();
  });

  test("who may not see it is told so", async () => {
    const reader = changed(await storeWith([]), {
      getRunMetrics: () => Promise.reject(denied("not_permitted")),
    });
    show(<RunMetrics executionId={INVOICE} />, reader);
    expect(await screen.findByText("You are not permitted to see this")).toBeDefined();
  });
});

function rowsOf(table: HTMLElement): (string | null)[][] {
  return within(table)
    .getAllByRole("row")
    .map((row) => Array.from(row.children, (cell) => cell.textContent));
}

function denied(code: "not_permitted" | "network_failed"): SpanloomError {
  return new SpanloomError(code, { what: "It did not work." });
}
