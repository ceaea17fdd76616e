import type { ListExecutionsQuery, ScopedStore } from "@spanloom/model";
import { cleanup, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { call, cents, changed, show, storeWith } from "../panel.test-support.tsx";
import { ExecutionHistoryTable } from "./ExecutionHistoryTable.tsx";
import "@spanloom/react-core/styles.css";
import "../styles.css";

afterEach(cleanup);

/** Seven executions, of which the second cost nothing that is known, and the fifth failed. */
async function seven(): Promise<ScopedStore> {
  return storeWith(
    Array.from({ length: 7 }, (_, index) => {
      const number = index + 1;
      return call(`2026-11-${10 + number}`, number, {
        workflowName: number % 2 === 0 ? "Briefs" : "Invoices",
        executionStatus: number === 5 ? "failed" : "completed",
        ...(number === 2 ? {} : cents((number * 5) % 7)),
      });
    }),
  );
}

test("shows date, workflow, status, duration, cost and nodes, newest first", async () => {
  show(<ExecutionHistoryTable />, await seven(), 1000);
  const rows = await bodyRows();
  expect(textsOf(rows[0])).toEqual(["Nov 17, 12:00:00", "Invoices", "Done", "7 s", "$0.00", "1"]);
  expect(textsOf(rows[5])).toEqual(["Nov 12, 12:00:00", "Briefs", "Done", "2 s", "N/A", "1"]);
  expect(screen.getByRole("columnheader", { name: "Date" }).getAttribute("aria-sort")).toBe("descending");
});

test("asks the store for fifty at first", async () => {
  const listExecutions = vi.fn<(query?: ListExecutionsQuery) => ReturnType<ScopedStore["listExecutions"]>>();
  const store = await storeWith(Array.from({ length: 60 }, (_, index) => call("2026-11-20", index + 1)));
  listExecutions.mockImplementation((query) => store.listExecutions(query));
  show(<ExecutionHistoryTable />, changed(store, { listExecutions }));
  expect(await bodyRows()).toHaveLength(50);
  expect(listExecutions.mock.calls[0]?.[0]).toMatchObject({
    limit: 50,
    sort: { by: "startTime", direction: "desc" },
  });
});

test("sorts by any column in the store, unknown values last in both directions", async () => {
  show(<ExecutionHistoryTable />, await seven());
  await bodyRows();
  for (const [name, column] of [
    ["Workflow", 1],
    ["Status", 2],
    ["Duration", 3],
    ["Cost", 4],
    ["Nodes", 5],
    ["Date", 0],
  ] as const) {
    const head = screen.getByRole("columnheader", { name });
    await userEvent.click(within(head).getByRole("button"));
    expect(head.getAttribute("aria-sort")).not.toBe("none");
    const first = head.getAttribute("aria-sort");
    await userEvent.click(within(head).getByRole("button"));
    expect(head.getAttribute("aria-sort")).toBe(first === "ascending" ? "descending" : "ascending");
    if (name !== "Cost") continue;
    await waitFor(async () => {
      const costs = (await bodyRows()).map((row) => textsOf(row)[column]);
      expect(costs).toEqual(["$0.00", "$0.01", "$0.02", "$0.04", "$0.05", "$0.06", "N/A"]);
    });
  }
});

test("pages forth and back through all executions by keyboard, and keeps the focus", async () => {
  show(<ExecutionHistoryTable pageSize={3} />, await seven());
  expect(await datesShown()).toEqual(["Nov 17", "Nov 16", "Nov 15"]);
  const next = screen.getByRole("button", { name: "Next page" });
  next.focus();
  await userEvent.keyboard("{Enter}");
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 14", "Nov 13", "Nov 12"]));
  await waitFor(() => expect(screen.getByText("4–6")).toBeDefined());
  await userEvent.keyboard("{Enter}");
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 11"]));
  expect(next.getAttribute("aria-disabled")).toBe("true");
  expect(document.activeElement).toBe(next);
  await userEvent.click(screen.getByRole("button", { name: "Previous page" }));
  await userEvent.click(screen.getByRole("button", { name: "Previous page" }));
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 17", "Nov 16", "Nov 15"]));
});

test("filters by text and status, says when nothing matches, and clears", async () => {
  show(<ExecutionHistoryTable pageSize={3} />, await seven());
  await bodyRows();
  await userEvent.click(screen.getByRole("button", { name: "Next page" }));
  await userEvent.type(screen.getByRole("searchbox"), "brief");
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 16", "Nov 14", "Nov 12"]));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Status" }), "failed");
  expect(await screen.findByText("No execution matches")).toBeDefined();
  await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 17", "Nov 16", "Nov 15"]));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Status" }), "failed");
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 15"]));
});

test("a row opens its cost by node, by keyboard and by a click anywhere on it", async () => {
  show(<ExecutionHistoryTable />, await seven());
  const [first, second] = await bodyRows();
  const toggle = within(first as HTMLElement).getByRole("button", { name: "Cost by node of Invoices" });
  toggle.focus();
  await userEvent.keyboard("{Enter}");
  expect(toggle.getAttribute("aria-expanded")).toBe("true");
  const details = document.getElementById(toggle.getAttribute("aria-controls") ?? "");
  expect(await within(details as HTMLElement).findByRole("rowheader", { name: "Total" })).toBeDefined();
  await userEvent.keyboard(" ");
  expect(toggle.getAttribute("aria-expanded")).toBe("false");
  await userEvent.click(within(second as HTMLElement).getByText("Briefs"));
  expect(await screen.findByRole("rowheader", { name: "answer" })).toBeDefined();
});

test("Open hands the execution to the host and does not unfold the row", async () => {
  const onSelect = vi.fn();
  show(<ExecutionHistoryTable onSelectExecution={onSelect} />, await seven());
  await userEvent.click((await screen.findAllByRole("button", { name: /^Open/ }))[0] as HTMLElement);
  expect(onSelect).toHaveBeenCalledExactlyOnceWith("execution-7");
  expect(screen.queryByRole("rowheader", { name: "Total" })).toBeNull();
});

test("hands the page over as a CSV file", async () => {
  show(<ExecutionHistoryTable pageSize={3} />, await seven());
  await bodyRows();
  const saved = new Promise<Blob>((resolve) => {
    const create = vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      if (blob instanceof Blob) resolve(blob);
      create.mockRestore();
      return "blob:kept-in-the-test";
    });
  });
  // The address leads nowhere, so that the browser saves no file.
  const stopsDownload = (event: Event): void => event.preventDefault();
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLElement,
  ) {
    this.addEventListener("click", stopsDownload);
  });
  await userEvent.click(screen.getByRole("button", { name: "Download this page as CSV" }));
  const text = await (await saved).text();
  click.mockRestore();
  expect(text.trim().split("\r\n")).toHaveLength(4);
  expect(text).toContain('"execution-7","2026-11-17T11:00:00.000000000Z"');
});

test("new executions come by themselves", async () => {
  const store = await seven();
  show(<ExecutionHistoryTable />, store);
  expect(await bodyRows()).toHaveLength(7);
  await store.write([call("2026-11-18", 8)]);
  await waitFor(async () => expect((await datesShown())[0]).toBe("Nov 18"), { timeout: 8_000 });
});

test("a cursor that the store no longer reads leads back to the first page", async () => {
  const store = await seven();
  const other = await storeWith([]);
  const reader = changed(store, {
    listExecutions: (query) =>
      query?.cursor === undefined
        ? store.listExecutions(query)
        : other.listExecutions({ ...query, cursor: "bm90IG91cnM" }),
  });
  show(<ExecutionHistoryTable pageSize={3} />, reader);
  await bodyRows();
  await userEvent.click(screen.getByRole("button", { name: "Next page" }));
  const retry = await screen.findByRole("button", { name: "Try again" }, { timeout: 5_000 });
  await userEvent.click(retry);
  await waitFor(async () => expect(await datesShown()).toEqual(["Nov 17", "Nov 16", "Nov 15"]));
});

test.each([1280, 560, 390, 320])("fits a container of %d px, with every fact in sight", async (widthPx) => {
  const { container } = show(
    <ExecutionHistoryTable onSelectExecution={() => undefined} />,
    await seven(),
    widthPx,
  );
  const [first] = await bodyRows();
  await userEvent.click(within(first as HTMLElement).getByText("Invoices"));
  await screen.findByRole("rowheader", { name: "Total" });
  const root = container.querySelector(".sl-root") as HTMLElement;
  expect(root.scrollWidth).toBeLessThanOrEqual(widthPx);
  const edge = root.getBoundingClientRect().right;
  for (const cell of first?.querySelectorAll("td") ?? []) {
    expect(cell.getBoundingClientRect().width).toBeGreaterThan(0);
    expect(cell.getBoundingClientRect().right).toBeLessThanOrEqual(edge + 0.5);
  }
  expect(
    screen.getAllByRole("columnheader", { name: /Date|Workflow|Status|Duration|Cost|Nodes/ }),
  ).not.toHaveLength(0);
  const { violations } = await axe.run(container, { rules: { region: { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

async function bodyRows(): Promise<HTMLElement[]> {
  await screen.findByRole("table", { name: "Executions" });
  return Array.from(document.querySelectorAll<HTMLElement>(".sl-history-row"));
}

async function datesShown(): Promise<string[]> {
  return (await bodyRows()).map((row) => textsOf(row)[0]?.split(",")[0] ?? "");
}

/** What a reader sees in the cells, without the ones that only hold a button. */
function textsOf(row: HTMLElement | undefined): string[] {
  const cells = Array.from(row?.querySelectorAll<HTMLElement>(":scope > td") ?? []);
  const facts = cells.filter((cell) => cell.querySelector("button") === null);
  // biome-ignore lint/performance/useDomNodeTextContent: a cell holds a text for wide and one for narrow tables
  return facts.map((cell) => cell.innerText.trim());
}
