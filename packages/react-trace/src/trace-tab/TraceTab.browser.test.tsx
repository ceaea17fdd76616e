import { SpanloomError, type SpanRecord, type TraceReader, withoutContent } from "@spanloom/model";
import { hostileTraces, makeTrace, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { readerOf, reading, show, storeWith } from "./trace-tab.test-support.tsx";

const EXECUTION = "exec-invoice-1042";

beforeEach(() => page.viewport(1440, 900));
afterEach(() => {
  cleanup();
  document.documentElement.removeAttribute("data-theme");
  document.documentElement.removeAttribute("dir");
});

const grid = (): HTMLElement => screen.getByRole("treegrid");
const rows = (): HTMLElement[] => within(grid()).getAllByRole("row").slice(1);
const nameOf = (row: Element | null): string => row?.querySelector(".sl-trace-text")?.textContent ?? "";
const focused = (): string => nameOf(document.activeElement);
const rowNamed = (name: string): HTMLElement => {
  const row = rows().find((each) => nameOf(each) === name);
  if (row === undefined) throw new Error(`no row is named ${name}`);
  return row;
};

async function showSample(options = {}, props = {}): Promise<ReturnType<typeof show>> {
  const shown = show(await storeWith(sampleTrace()), { executionId: EXECUTION, ...props }, options);
  await screen.findByRole("treegrid");
  return shown;
}

async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document.body, {
    rules: { region: { enabled: false }, "page-has-heading-one": { enabled: false } },
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${failureSummary} ${html}`),
  );
}

describe("keyboard", () => {
  test("one tab stop; arrows, Home, End and pages walk the rows; left and right close, open and step", async () => {
    await showSample();
    rows()[0]?.focus();
    expect(rows().filter((row) => row.tabIndex === 0)).toHaveLength(1);
    expect(focused()).toBe("invoice-approval");
    await userEvent.keyboard("{ArrowDown}");
    expect(focused()).toBe("load-documents");
    await userEvent.keyboard("{ArrowLeft}");
    expect(rowNamed("load-documents").getAttribute("aria-expanded")).toBe("false");
    expect(rows().some((row) => nameOf(row) === "page cache")).toBe(false);
    await userEvent.keyboard("{ArrowLeft}");
    expect(focused()).toBe("invoice-approval");
    await userEvent.keyboard("{ArrowRight}");
    expect(focused()).toBe("load-documents");
    await userEvent.keyboard("{ArrowRight}");
    expect(rowNamed("load-documents").getAttribute("aria-expanded")).toBe("true");
    await userEvent.keyboard("{ArrowRight}");
    expect(focused()).toBe("GET /documents/{{id}".replace("{{", "{"));
    await userEvent.keyboard("{End}");
    const last = focused();
    await userEvent.keyboard("{Home}");
    expect(focused()).toBe("invoice-approval");
    await userEvent.keyboard("{PageDown}{PageDown}");
    expect(focused()).toBe(last);
    await userEvent.keyboard("{PageUp}{PageUp}{ArrowUp}");
    expect(focused()).toBe("invoice-approval");
    expect(rows().filter((row) => row.tabIndex === 0)).toHaveLength(1);
  });

  test("Enter and Space select, letters jump, * opens all siblings", async () => {
    await showSample();
    fireEvent.click(screen.getByText("Collapse all"));
    rows()[0]?.focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}");
    expect(focused()).toBe("load-documents");
    await userEvent.keyboard("*");
    expect(
      rows()
        .filter((row) => row.getAttribute("aria-level") === "2")
        .map((row) => row.ariaExpanded),
    ).not.toContain("false");
    await userEvent.keyboard("ext");
    expect(focused()).toBe("extract-fields");
    await userEvent.keyboard("{Enter}");
    expect(document.activeElement?.getAttribute("aria-selected")).toBe("true");
    await userEvent.keyboard("{ArrowDown} ");
    expect(focused()).toBe("field-extractor");
    expect(document.activeElement?.getAttribute("aria-selected")).toBe("true");
    await screen.findByRole("heading", { name: "field-extractor" });
  });

  test("rows say where they stand", async () => {
    await showSample();
    const row = rowNamed("check-vendor");
    expect(grid().getAttribute("aria-rowcount")).toBe("27");
    expect(row.getAttribute("aria-level")).toBe("2");
    expect([row.getAttribute("aria-posinset"), row.getAttribute("aria-setsize")]).toEqual(["3", "6"]);
    expect(row.getAttribute("aria-rowindex")).toBe("11");
  });

  test("focus survives when its row is scrolled out of the view", async () => {
    const spans = makeTrace({ spans: 2_000, content: false });
    show(readerOf(spans), { executionId: "made-1" });
    await screen.findByRole("treegrid");
    rows()[3]?.focus();
    fireEvent.click(rows()[3] as HTMLElement);
    const name = focused();
    const id = document.activeElement?.id;
    grid().scrollTop = 30_000;
    await waitFor(() => expect(rows().some((row) => Number(row.dataset.row) > 1_000)).toBe(true));
    expect(document.activeElement?.id).toBe(id);
    await userEvent.keyboard("{ArrowDown}{ArrowUp}");
    expect(focused()).toBe(name);
    await waitFor(() => expect(grid().scrollTop).toBeLessThan(200));
  });

  test("focus moves to the nearest row when its own is filtered away", async () => {
    await showSample();
    fireEvent.click(rowNamed("page cache"));
    expect(focused()).toBe("page cache");
    fireEvent.click(screen.getByText("Errors only"));
    expect(focused()).toBe("invoice-approval");
  });

  test("details are tabs: arrows move and select", async () => {
    await showSample();
    fireEvent.click(rows()[0] as HTMLElement);
    const first = await screen.findByRole("tab", { selected: true });
    first.focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(document.activeElement?.textContent).toContain("Attributes");
    expect(screen.getByRole("tabpanel").textContent).toContain("invoice.number");
    await userEvent.keyboard("{End}");
    expect(screen.getByRole("tab", { selected: true }).textContent).toContain("Links");
    await userEvent.keyboard("{ArrowRight}");
    expect(screen.getByRole("tab", { selected: true })).toBe(first);
  });
});

describe("search and toggles", () => {
  test("counts matches and goes round with Enter and Shift+Enter, opening what hides them", async () => {
    await showSample();
    fireEvent.click(screen.getByText("Collapse all"));
    const box = screen.getByRole("searchbox");
    const count = sampleTrace().filter((span) => span.name.includes("chat")).length;
    await userEvent.type(box, "CHAT");
    await screen.findByText(`${count} matches`);
    await userEvent.type(box, "{Enter}");
    await screen.findByText(`1 of ${count}`);
    expect(nameOf(document.querySelector('[aria-selected="true"]'))).toBe("chat lumen-large-2");
    await userEvent.type(box, "{Enter}");
    await screen.findByText(`2 of ${count}`);
    await userEvent.type(box, "{Shift>}{Enter}{Enter}{/Shift}");
    await screen.findByText(`${count} of ${count}`);
    fireEvent.click(screen.getByRole("button", { name: "Next match" }));
    await screen.findByText(`1 of ${count}`);
    expect(document.activeElement).toBe(box);
    await userEvent.type(box, "zzz");
    await screen.findByText("No match");
    await userEvent.type(box, "{Escape}");
    expect((box as HTMLInputElement).value).toBe("");
  });

  test("Errors only and AI only keep ancestors as context and say when nothing is left", async () => {
    await showSample();
    const errors = screen.getByRole("button", { name: "Errors only" });
    fireEvent.click(errors);
    expect(errors.getAttribute("aria-pressed")).toBe("true");
    expect(rows().map(nameOf)).toEqual([
      "invoice-approval",
      "extract-fields",
      "field-extractor",
      "read_table",
    ]);
    fireEvent.click(errors);
    fireEvent.click(screen.getByRole("button", { name: "AI only" }));
    expect(rows().map(nameOf)).not.toContain("page cache");
    expect(rows().map(nameOf)).toContain("chat lumen-mini-2");
  });

  test("a trace without errors says so and offers the way back", async () => {
    show(await storeWith(makeTrace({ spans: 30, failureRate: 0 })), { executionId: "made-1" });
    await screen.findByRole("treegrid");
    fireEvent.click(screen.getByRole("button", { name: "Errors only" }));
    await screen.findByText("This trace has no errors.");
    fireEvent.click(screen.getByText("Show all spans"));
    expect(rows().length).toBeGreaterThan(5);
  });
});

describe("selection", () => {
  test("shows the span's messages, usage and cost, and tells the host", async () => {
    const chosen: (string | undefined)[] = [];
    await showSample({}, { onSelectedSpanChange: (spanId: string | undefined) => chosen.push(spanId) });
    const row = rowNamed("chat lumen-mini-2");
    fireEvent.click(row);
    await screen.findByRole("tab", { name: /Messages/ });
    expect(chosen).toHaveLength(1);
    fireEvent.click(screen.getByRole("tab", { name: /Usage/ }));
    expect(screen.getByRole("table", { name: "Cost" }).textContent).toContain("sample-prices");
    fireEvent.click(screen.getByRole("button", { name: "Close details" }));
    expect(chosen).toEqual([chosen[0], undefined]);
    await screen.findByText("No span selected");
  });

  test("the host may hold it, and a selected span comes into view", async () => {
    const spans = makeTrace({ spans: 1_000, content: false });
    const far = spans[900] as SpanRecord;
    const shown = show(readerOf(spans), { executionId: "made-1", selectedSpanId: far.spanId });
    await waitFor(() => expect(nameOf(document.querySelector('[aria-selected="true"]'))).toBe(far.name));
    await screen.findByRole("heading", { name: far.name });
    // A click takes the focus along, which may scroll the selected row away; the details stay with it.
    const other = rows().find((row) => row.getAttribute("aria-selected") !== "true") as HTMLElement;
    fireEvent.click(other);
    expect(screen.getByRole("heading", { name: far.name })).toBeDefined();
    expect(other.getAttribute("aria-selected")).not.toBe("true");
    shown.update({ selectedSpanId: null });
    await screen.findByText("No span selected");
  });

  test("unknown figures are N/A, never 0", async () => {
    await showSample();
    fireEvent.click(rowNamed("page cache"));
    fireEvent.click(await screen.findByRole("tab", { name: /Usage/ }));
    expect(screen.getByRole("table", { name: "Cost" }).textContent).toBe("FigureAmountThis spanN/A");
    expect(within(rowNamed("page cache")).getAllByRole("gridcell", { name: "N/A" })).toHaveLength(2);
  });
});

describe("switching executions", () => {
  test("never shows the one before, however slow its answers are", async () => {
    const one = sampleTrace();
    const two = makeTrace({ spans: 60, seed: 2, executionId: "second", workflowName: "second-flow" });
    const store = await storeWith(one, two);
    const gates = new Map<string, () => void>();
    const slow = reading(store, {
      getTrace: (async (id: string, query: object) => {
        await new Promise<void>((resolve) => gates.set(id, resolve));
        return store.getTrace(id, query);
      }) as TraceReader["getTrace"],
    });
    const shown = show(slow, { executionId: EXECUTION });
    await waitFor(() => expect(gates.has(EXECUTION)).toBe(true));
    shown.update({ executionId: "second" });
    await waitFor(() => expect(gates.has("second")).toBe(true));
    gates.get(EXECUTION)?.();
    expect(screen.queryByRole("treegrid")).toBeNull();
    gates.get("second")?.();
    await screen.findByRole("heading", { name: "second-flow" });
    expect(screen.queryByText("invoice-approval")).toBeNull();
    fireEvent.click(rows()[1] as HTMLElement);
    shown.update({ executionId: EXECUTION });
    expect(screen.queryByRole("heading", { name: "second-flow" })).toBeNull();
    expect(document.body.textContent).not.toContain(two[1]?.name);
    gates.get(EXECUTION)?.();
    await screen.findByRole("heading", { name: "Invoice approval" });
    expect(document.querySelector('[aria-selected="true"]')).toBeNull();
    shown.update({ executionId: undefined });
    await screen.findByText("No execution selected");
  });
});

describe("live", () => {
  const all = makeTrace({ spans: 600, content: false, executionId: "live", failureRate: 0 });
  const open = (span: SpanRecord): SpanRecord => {
    const { endTime, executionStatus, ...rest } = span;
    return { ...rest, status: { code: "unset" } };
  };
  const early = [open(all[0] as SpanRecord), ...all.slice(1).filter((_, at) => at % 3 !== 1)];
  const late = all.slice(1).filter((_, at) => at % 3 === 1);

  test("rows that arrive leave what the reader looks at where it is", async () => {
    const store = await storeWith(early);
    show(store, { executionId: "live" });
    await screen.findByRole("treegrid");
    await screen.findByText("live");
    grid().scrollTop = 4_007;
    await waitFor(() => expect(rows().length).toBeGreaterThan(10));
    const top = grid().getBoundingClientRect().top + 100;
    const looked = await waitFor(() => {
      const row = rows().find((each) => each.getBoundingClientRect().top >= top);
      expect(row).toBeDefined();
      return row as HTMLElement;
    });
    const { id } = looked;
    const before = looked.getBoundingClientRect().top;
    await store.write(late);
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("601"));
    // The list scrolls along in the frame after the rows came.
    await waitFor(() =>
      expect(document.getElementById(id)?.getBoundingClientRect().top).toBeCloseTo(before, 0),
    );
  });

  test("at the end it follows", async () => {
    const store = await storeWith(early);
    show(store, { executionId: "live" });
    await screen.findByRole("treegrid");
    grid().scrollTop = 1_000_000;
    await waitFor(() => expect(grid().scrollTop).toBeGreaterThan(1_000));
    const before = grid().scrollTop;
    await store.write(late);
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("601"));
    await waitFor(() => expect(grid().scrollTop).toBeGreaterThan(before + 1_000));
    await waitFor(() =>
      expect(grid().scrollTop + grid().clientHeight).toBeGreaterThan(grid().scrollHeight - 5),
    );
  });

  test("an open run counts on, and its end is shown when it comes", async () => {
    const store = await storeWith(runningTrace());
    show(store, { executionId: EXECUTION });
    await screen.findByRole("timer");
    expect(rows().filter((row) => row.textContent?.includes("running")).length).toBe(
      runningTrace().filter((span) => span.endTime === undefined).length,
    );
    await store.write(sampleTrace().map((span) => ({ ...span, revision: 1 })));
    await screen.findByText("Done");
    expect(screen.queryByRole("timer")).toBeNull();
    expect(screen.queryByText("running")).toBeNull();
  });
});

describe("size", () => {
  test("100,000 spans: at most 2,000 elements", { timeout: 60_000 }, async () => {
    const spans = makeTrace({ spans: 100_000, content: false });
    show(readerOf(spans), { executionId: "made-1" }, { width: 1400, height: 850 });
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("100001"), { timeout: 50_000 });
    fireEvent.click(rows()[3] as HTMLElement);
    grid().scrollTop = 1_400_000;
    await waitFor(() => expect(rows().some((row) => Number(row.dataset.row) > 49_000)).toBe(true));
    expect(document.querySelectorAll(".sl-root, .sl-root *").length).toBeLessThanOrEqual(2_000);
  });
});

describe("widths", () => {
  test("narrow: details are a second screen, Back returns to the row", async () => {
    await showSample({ width: 390 });
    const row = rowNamed("load-documents");
    fireEvent.click(row);
    await screen.findByRole("button", { name: "Back to spans" });
    await waitFor(() => expect(document.activeElement?.getAttribute("aria-label")).toBe("Back to spans"));
    expect(screen.queryByRole("treegrid")).toBeNull();
    await userEvent.keyboard("{Enter}");
    expect(screen.queryByRole("treegrid")).not.toBeNull();
    expect(focused()).toBe("load-documents");
  });

  test("medium: details lie over the timeline, Escape closes them", async () => {
    await showSample({ width: 760 });
    expect(screen.queryByRole("complementary")).toBeNull();
    fireEvent.click(rowNamed("load-documents"));
    const details = await screen.findByRole("complementary");
    const name = rowNamed("load-documents").querySelector(".sl-trace-text") as Element;
    expect(name.getBoundingClientRect().right).toBeLessThanOrEqual(details.getBoundingClientRect().left);
    screen.getByRole("button", { name: "Close details" }).focus();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("complementary")).toBeNull();
    expect(focused()).toBe("load-documents");
  });

  test("nothing spills out at 320", async () => {
    const { container } = await showSample({ width: 320 });
    const right = (container.firstElementChild as Element).getBoundingClientRect().right;
    const root = container.querySelector(".sl-root") as Element;
    expect(root.scrollWidth).toBeLessThanOrEqual(320);
    for (const cell of within(rowNamed("load-documents")).getAllByRole("gridcell")) {
      expect(cell.getBoundingClientRect().right).toBeLessThanOrEqual(right + 0.5);
    }
  });
});

describe("states", () => {
  test("loading, then a missing execution, with its id to copy", async () => {
    const store = await storeWith(sampleTrace());
    show(store, { executionId: "nowhere" });
    screen.getByText("Loading");
    await screen.findByText("No trace for this execution");
    screen.getByRole("button", { name: "Copy execution ID nowhere" });
  });

  test("a failure says what happened and tries again", { timeout: 20_000 }, async () => {
    const store = await storeWith(sampleTrace());
    let broken = true;
    const flaky = reading(store, {
      getTrace: (async (id: string, query: object) => {
        if (broken) throw new SpanloomError("network_failed", { what: "The server did not answer." });
        return store.getTrace(id, query);
      }) as TraceReader["getTrace"],
    });
    show(flaky, { executionId: EXECUTION });
    await screen.findByRole("alert", {}, { timeout: 15_000 });
    screen.getByText("The server did not answer.");
    broken = false;
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("treegrid");
  });

  test("not permitted", async () => {
    const denied = reading(await storeWith(sampleTrace()), {
      getTrace: async () => {
        throw new SpanloomError("not_permitted", { what: "No." });
      },
    });
    show(denied, { executionId: EXECUTION });
    await screen.findByText("You are not permitted to see this");
  });

  test("partial: says how much is there while the rest loads", async () => {
    const spans = makeTrace({ spans: 12_000, content: false });
    const reader = readerOf(spans);
    let release: () => void = () => undefined;
    const gated = reading(reader, {
      getTrace: (async (id: string, query: { cursor?: string } = {}) => {
        if (query.cursor !== undefined) await new Promise<void>((resolve) => (release = resolve));
        return reader.getTrace(id, query);
      }) as TraceReader["getTrace"],
    });
    show(gated, { executionId: "made-1" });
    await screen.findByText("10,000 of 12,000 spans loaded. The rest is on its way.");
    release();
    await waitFor(() => expect(grid().getAttribute("aria-rowcount")).toBe("12001"));
    expect(screen.queryByText(/spans loaded/)).toBeNull();
  });

  test("content that is redacted, cut or kept out says so, and why", async () => {
    const [root, ...rest] = sampleTrace() as [SpanRecord, ...SpanRecord[]];
    const span: SpanRecord = {
      ...root,
      input: {
        format: "text",
        state: "redacted",
        text: "call [e-mail]",
        redactions: [{ rule: "e-mail", count: 2 }],
      },
      output: { format: "text", state: "truncated", text: "x".repeat(100), length: 4_100 },
      stateBefore: { format: "json", state: "not_captured", reason: "policy: no state" },
      stateAfter: { format: "json", state: "not_permitted" },
    };
    show(await storeWith([span, ...rest]), { executionId: EXECUTION, defaultSelectedSpanId: span.spanId });
    await screen.findByText("Redacted: e-mail (2)");
    screen.getByText("Truncated: 100 B of 4.1 KB kept");
    screen.getByText("policy: no state");
    screen.getByText("Not permitted");
  });

  test("of an error that the reader may not read, its type and that its words are withheld", async () => {
    const [root, ...rest] = sampleTrace() as [SpanRecord, ...SpanRecord[]];
    const exception = {
      "exception.type": "TypeError",
      "exception.message": "the prompt was odd",
      "exception.stacktrace": "TypeError: the prompt was odd",
    };
    const span = withoutContent({
      ...root,
      status: { code: "error", message: "the prompt was odd" },
      events: [{ name: "exception", time: root.startTime, attributes: exception }],
    });
    show(await storeWith([span, ...rest]), { executionId: EXECUTION, defaultSelectedSpanId: span.spanId });
    fireEvent.click(await screen.findByRole("tab", { name: /Events/ }));
    await screen.findByText("TypeError");
    // At the head of the span and at its event.
    expect(screen.getAllByText("Not permitted")).toHaveLength(2);
    expect(document.body.textContent).not.toContain("the prompt was odd");
    expect(document.body.textContent).not.toContain("[not permitted]");
  });

  test("long content opens on demand", async () => {
    const long = hostileTraces().find((trace) => trace.name === "long text")?.spans ?? [];
    show(await storeWith(long), { executionId: "exec-hostile" });
    await screen.findByRole("treegrid");
    fireEvent.click(rows()[1] as HTMLElement);
    const button = await screen.findByRole("button", { name: /Show more/ });
    const text = screen.getByRole("tabpanel").querySelector("pre") as HTMLElement;
    expect(text.textContent?.length).toBeLessThan(3_000);
    fireEvent.click(button);
    fireEvent.click(await screen.findByRole("button", { name: /Show all/ }));
    expect(text.textContent?.length).toBe(307_200);
  });
});

describe("hostile traces", () => {
  test.each(hostileTraces())("$name: every span has a row and no text becomes markup", async ({ spans }) => {
    const store = await storeWith(spans);
    const errors: unknown[] = [];
    const onError = (event: ErrorEvent): unknown => errors.push(event.error);
    window.addEventListener("error", onError);
    show(store, { executionId: "exec-hostile" });
    await screen.findByRole("treegrid");
    const keys = new Set(spans.map((span) => `${span.traceId}/${span.spanId}`));
    expect(grid().getAttribute("aria-rowcount")).toBe(String(keys.size + 1));
    for (const row of rows().slice(0, 9)) {
      fireEvent.click(row);
      for (const tab of await screen.findAllByRole("tab")) fireEvent.click(tab);
    }
    window.removeEventListener("error", onError);
    expect(errors).toEqual([]);
    expect(document.querySelector(".sl-root img, .sl-root script, .sl-root [href^='javascript']")).toBeNull();
  });

  test("orphans and cycles are announced", async () => {
    const orphans = hostileTraces().find((trace) => trace.name === "orphans")?.spans ?? [];
    show(await storeWith(orphans), { executionId: "exec-hostile" });
    await screen.findByText("2 spans name parents that are not in this trace; they stand at the top.");
  });
});

test("a host's rules for all elements and for its own buttons, tables and pictures move nothing", async () => {
  await showSample({}, { defaultSelectedSpanId: sampleTrace()[1]?.spanId });
  await screen.findByRole("tabpanel");
  const before = boxes();
  const host = document.createElement("style");
  // Only below the panel: that a host's margins around it move the panel itself is what the host wants.
  host.textContent = `
    :where(.sl-root) * { margin: 10px; padding: 3px; box-sizing: content-box; line-height: 3; letter-spacing: 2px }
    :where(.sl-root) svg, :where(.sl-root) img { margin: 10px; vertical-align: middle; float: left }
    :where(.sl-root) button { all: unset }
    :where(.sl-root) table, :where(.sl-root) th, :where(.sl-root) td { border: 5px solid red; padding: 20px }`;
  document.head.append(host);
  try {
    expect(boxes()).toEqual(before);
  } finally {
    host.remove();
  }
});

/** Where each element of the panel stands and how large it is, shapes inside icons aside. */
function boxes(): string[] {
  return [...document.querySelectorAll(".sl-root, .sl-root :not(svg *)")].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return `${element.tagName}.${element.getAttribute("class")} ${[x, y, width, height].map(Math.round)}`;
  });
}

describe("links out", () => {
  test("are there only when the configuration gives them", async () => {
    const store = await storeWith(sampleTrace());
    const links = { run: { label: "Open in Grafana", template: "/d/run?id={run_id}" } };
    const shown = show(
      reading(store, { getConfig: async () => ({ roles: ["operator"], contentPermitted: true, links }) }),
      { executionId: EXECUTION },
    );
    const link = await screen.findByRole("link", { name: "Open in Grafana" });
    expect(link.getAttribute("href")).toBe(`/d/run?id=${EXECUTION}`);
    shown.unmount();
    show(reading(store, { getConfig: async () => ({ roles: [], contentPermitted: true }) }), {
      executionId: EXECUTION,
    });
    await screen.findByRole("treegrid");
    expect(screen.queryByRole("link", { name: "Open in Grafana" })).toBeNull();
  });

  test("artifacts are downloads only where the host gives an address that is safe", async () => {
    const store = await storeWith(sampleTrace());
    const shown = show(store, { executionId: EXECUTION, artifactHref: () => "javascript:alert(1)" });
    await screen.findByRole("treegrid");
    expect(screen.queryByRole("link")).toBeNull();
    shown.update({ artifactHref: ({ artifactId }) => `/files/${artifactId}` });
    expect(screen.getAllByRole("link", { name: /Download/ }).length).toBe(2);
  });
});

describe("accessibility", () => {
  const cases = [
    { name: "wide, light", width: 1200, theme: "light", select: true },
    { name: "wide, dark", width: 1200, theme: "dark", select: true },
    { name: "medium, dark", width: 760, theme: "dark", select: true },
    { name: "narrow tree, light", width: 390, theme: "light", select: false },
    { name: "narrow details, dark", width: 390, theme: "dark", select: true },
  ] as const;
  test.each(cases)("axe finds nothing: $name", { timeout: 30_000 }, async ({ width, theme, select }) => {
    document.documentElement.dataset.theme = theme;
    await showSample({ width, provider: { theme } });
    if (select) {
      fireEvent.click(rowNamed("field-extractor"));
      await screen.findByRole("tabpanel");
    }
    fireEvent.click(screen.getByText("AI only"));
    expect(await violations()).toEqual([]);
  });

  test("every text comes from the catalogue", async () => {
    const store = await storeWith(sampleTrace());
    show(store, { executionId: EXECUTION }, { provider: { messages: { "trace.errorsOnly": "Nur Fehler" } } });
    await screen.findByRole("button", { name: "Nur Fehler" });
  });

  test("right to left: the tree begins at the right and the arrows swap", async () => {
    document.documentElement.dir = "rtl";
    await showSample();
    const [first] = rows();
    first?.focus();
    await userEvent.keyboard("{ArrowRight}");
    expect(first?.getAttribute("aria-expanded")).toBe("false");
    const cells = within(first as HTMLElement).getAllByRole("gridcell");
    expect(cells[0]?.getBoundingClientRect().left).toBeGreaterThan(
      cells[4]?.getBoundingClientRect().left ?? 0,
    );
  });
});
