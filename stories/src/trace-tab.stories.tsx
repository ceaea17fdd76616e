import { type ScopedStore, SpanloomError, type SpanRecord, type TraceReader } from "@spanloom/model";
import { hostileTraces, makeTrace, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { ObservabilityProvider } from "@spanloom/react-core";
import { TraceTab, type TraceTabProps } from "@spanloom/react-trace";
import { createMemoryStore } from "@spanloom/store/memory";
import type { Meta, StoryObj } from "@storybook/react-vite";
import type { ReactElement } from "react";
import { expect, waitFor } from "storybook/test";
import "@spanloom/react-core/styles.css";
import "@spanloom/react-trace/styles.css";

interface StoryArgs {
  /** What the store holds. */
  spans: () => SpanRecord[];
  executionId: string | undefined;
  selected?: string;
  theme: "light" | "dark";
  widthPx: number;
  heightPx: number;
  rightToLeft?: boolean;
  /** Changes how the reader answers. */
  reader?: (store: ScopedStore) => Partial<TraceReader>;
}

const EXECUTION = "exec-invoice-1042";
const CHAT = spanNamed(sampleTrace(), "chat lumen-large-2").spanId;
const FAILED = spanNamed(sampleTrace(), "read_table").spanId;

const meta: Meta<StoryArgs> = {
  title: "Trace/TraceTab",
  parameters: { layout: "fullscreen" },
  args: { spans: sampleTrace, executionId: EXECUTION, theme: "light", widthPx: 1440, heightPx: 820 },
  loaders: [
    async ({ args }) => {
      const store = createMemoryStore().forScope("stories");
      await store.write(args.spans());
      return { reader: readerWith(store, args.reader?.(store)) };
    },
  ],
  render: (args, { loaded }) => <Stage {...args} reader={loaded.reader as TraceReader} />,
};
export default meta;

type Story = StoryObj<StoryArgs>;

const showsSpans: Story["play"] = async ({ canvas }) => {
  await expect(await canvas.findByRole("treegrid")).toBeVisible();
};
const showsDetails: Story["play"] = async ({ canvas }) => {
  await expect(await canvas.findByRole("tabpanel")).toBeVisible();
};

export const Completed: Story = { play: showsSpans };
export const CompletedDark: Story = { args: { theme: "dark" }, play: showsSpans };
export const Selected: Story = { args: { selected: CHAT }, play: showsDetails };
export const SelectedDark: Story = { args: { selected: CHAT, theme: "dark" }, play: showsDetails };
export const FailedSpan: Story = {
  args: { selected: FAILED },
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByRole("tab", { name: /Events/ }));
    await expect(canvas.getByRole("tabpanel")).toBeVisible();
  },
};
export const UsageAndCost: Story = {
  args: { selected: CHAT },
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByRole("tab", { name: "Usage & cost" }));
    await expect(canvas.getByRole("table", { name: "Tokens" })).toBeVisible();
  },
};
export const Medium: Story = { args: { widthPx: 760, selected: CHAT }, play: showsDetails };
export const Narrow: Story = { args: { widthPx: 390 }, play: showsSpans };
export const NarrowDark: Story = { args: { widthPx: 390, theme: "dark" }, play: showsSpans };
export const NarrowDetails: Story = { args: { widthPx: 390, selected: CHAT }, play: showsDetails };
export const NarrowDetailsDark: Story = {
  args: { widthPx: 390, selected: CHAT, theme: "dark" },
  play: showsDetails,
};
export const Narrowest: Story = { args: { widthPx: 320 }, play: showsSpans };

export const ErrorsOnly: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByRole("button", { name: "Errors only" }));
    await expect(canvas.queryByText("page cache")).toBeNull();
    await expect(canvas.getByText("read_table")).toBeVisible();
  },
};
export const Searching: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.type(await canvas.findByRole("searchbox"), "chat{Enter}{Enter}");
    await expect(await canvas.findByText(/^2 of \d+$/)).toBeVisible();
  },
};

export const Running: Story = { args: { spans: () => startedAgo(runningTrace(), 11_000) }, play: showsSpans };
export const RunningDark: Story = {
  args: { spans: () => startedAgo(runningTrace(), 11_000), theme: "dark" },
  play: showsSpans,
};
export const RunningNarrow: Story = {
  args: { spans: () => startedAgo(runningTrace(), 11_000), widthPx: 390 },
  play: showsSpans,
};

export const Loading: Story = {
  args: { reader: () => ({ getTrace: () => new Promise<never>(() => undefined) }) },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("Loading")).toBeInTheDocument();
  },
};
export const NothingSelected: Story = {
  args: { executionId: undefined },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No execution selected")).toBeVisible();
  },
};
export const NotFound: Story = {
  args: { executionId: "exec-that-never-ran" },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No trace for this execution")).toBeVisible();
  },
};
export const Failing: Story = {
  args: {
    reader: () => ({
      getTrace: async () => {
        throw new SpanloomError("network_failed", {
          what: "The trace could not be read.",
          why: "The server did not answer within 10 s.",
          fix: "Check the connection, then try again.",
        });
      },
    }),
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("alert", {}, { timeout: 10_000 })).toBeVisible();
  },
};
export const NotPermitted: Story = {
  args: {
    reader: () => ({
      getTrace: async () => {
        throw new SpanloomError("not_permitted", { what: "This execution belongs to another team." });
      },
    }),
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("You are not permitted to see this")).toBeVisible();
  },
};
/** The first page is there, the second never comes. */
export const Partial: Story = {
  args: {
    spans: () =>
      makeTrace({ spans: 900, content: false, executionId: EXECUTION, workflowName: "Nightly import" }),
    reader: (store) => ({
      getTrace: (async (executionId: string, query: { cursor?: string } = {}) =>
        query.cursor === undefined
          ? store.getTrace(executionId, { ...query, limit: 400 })
          : new Promise<never>(() => undefined)) as TraceReader["getTrace"],
    }),
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText(/400 of 900 spans loaded/)).toBeVisible();
  },
};

export const CaptureStates: Story = {
  args: { spans: () => withCaptureStates(sampleTrace()), selected: CHAT },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("Redacted: e-mail (2), iban (1)")).toBeVisible();
    await expect(canvas.getByText("Not permitted")).toBeVisible();
  },
};
export const MissingEnds: Story = {
  args: { spans: () => hostile("missing ends"), executionId: "exec-hostile", selected: "0000000000000003" },
  play: showsDetails,
};
export const OrphansAndStrangers: Story = {
  args: { spans: () => hostile("orphans"), executionId: "exec-hostile" },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText(/name parents that are not in this trace/)).toBeVisible();
  },
};
export const OddTextRightToLeft: Story = {
  args: {
    spans: () => hostile("odd text"),
    executionId: "exec-hostile",
    selected: "0000000000000003",
    rightToLeft: true,
  },
  play: showsDetails,
};
export const TenThousandSpans: Story = {
  args: {
    spans: () =>
      makeTrace({ spans: 10_000, content: false, executionId: EXECUTION, workflowName: "Nightly import" }),
  },
  play: async ({ canvas }) => {
    const grid = await canvas.findByRole("treegrid");
    await waitFor(() => expect(grid).toHaveAttribute("aria-rowcount", "10001"));
  },
};

function Stage(props: Omit<StoryArgs, "reader" | "spans"> & { reader: TraceReader }): ReactElement {
  const { reader, executionId, selected, theme, widthPx, heightPx, rightToLeft } = props;
  const tab: TraceTabProps = {
    executionId,
    artifactHref: ({ artifactId }) => `/files/${encodeURIComponent(artifactId)}`,
  };
  return (
    <div
      data-theme={theme}
      dir={rightToLeft ? "rtl" : "ltr"}
      style={{
        inlineSize: widthPx,
        maxInlineSize: "100%",
        blockSize: heightPx,
        fontFamily: "system-ui, sans-serif",
      }}
    >
      <ObservabilityProvider store={reader} locale="en" timeZone="UTC" theme={theme}>
        <TraceTab {...tab} {...(selected !== undefined && { defaultSelectedSpanId: selected })} />
      </ObservabilityProvider>
    </div>
  );
}

function readerWith(store: ScopedStore, changes: Partial<TraceReader> = {}): TraceReader {
  return {
    listExecutions: (query) => store.listExecutions(query),
    getExecutions: (ids) => store.getExecutions(ids),
    getExecution: (id) => store.getExecution(id),
    getTrace: store.getTrace.bind(store),
    getSpan: (id, spanId, traceId) => store.getSpan(id, spanId, traceId),
    changesSince: (id, seq, options) => store.changesSince(id, seq, options),
    getRunMetrics: (id) => store.getRunMetrics(id),
    getDailyCosts: (query) => store.getDailyCosts(query),
    getAnalytics: (query) => store.getAnalytics(query),
    searchSpans: (id, query) => store.searchSpans(id, query),
    getConfig: async () => ({
      roles: ["operator"],
      contentPermitted: true,
      links: { run: { label: "Open in Grafana", template: "/grafana/d/run?var-run={run_id}" } },
    }),
    ...changes,
  };
}

function spanNamed(spans: readonly SpanRecord[], name: string): SpanRecord {
  const span = spans.find((each) => each.name === name);
  if (span === undefined) throw new Error(`The sample has no span named ${name}.`);
  return span;
}

function hostile(name: string): SpanRecord[] {
  return hostileTraces().find((trace) => trace.name === name)?.spans ?? [];
}

/** The same spans, as if the first had started so many milliseconds ago. */
function startedAgo(spans: readonly SpanRecord[], ms: number): SpanRecord[] {
  const shift = BigInt(Date.now() - ms) * 1_000_000n - BigInt(spans[0]?.startTime ?? 0);
  const moved = (time: string): string => String(BigInt(time) + shift);
  return spans.map((span) => ({
    ...span,
    startTime: moved(span.startTime),
    ...(span.endTime !== undefined && { endTime: moved(span.endTime) }),
    ...(span.firstTokenTime !== undefined && { firstTokenTime: moved(span.firstTokenTime) }),
    events: span.events.map((event) => ({ ...event, time: moved(event.time) })),
  }));
}

function withCaptureStates(spans: readonly SpanRecord[]): SpanRecord[] {
  return spans.map((span) =>
    span.spanId !== CHAT
      ? span
      : {
          ...span,
          input: {
            format: "messages",
            state: "redacted",
            redactions: [
              { rule: "e-mail", count: 2 },
              { rule: "iban", count: 1 },
            ],
            messages: [
              { role: "system", parts: [{ type: "text", content: "You read invoices." }] },
              {
                role: "user",
                parts: [
                  { type: "text", content: "Send the result to [e-mail] and [e-mail], pay to [iban]." },
                ],
              },
            ],
          },
          output: {
            format: "text",
            state: "truncated",
            reason: "longer than the capture limit",
            text: "The invoice lists forty line items, of which the first",
            length: 41_300,
          },
          stateBefore: { format: "json", state: "not_captured", reason: "policy: state is not kept" },
          stateAfter: { format: "json", state: "not_permitted" },
        },
  );
}
