import { type ScopedStore, SpanloomError, type SpanRecord, type TraceReader } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { CostChart, type CostChartProps } from "@spanloom/react-analytics";
import { createMemoryStore } from "@spanloom/store/memory";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { Stage } from "./Stage.tsx";
import { LAST_DAY, never, sampleHistory, sampleReader } from "./sample-store.ts";

interface StoryArgs {
  chart: CostChartProps;
  widthPx: number;
  rightToLeft?: boolean;
  store: () => Promise<ScopedStore>;
  reader?: Partial<TraceReader>;
}

const meta: Meta<StoryArgs> = {
  title: "Analytics/CostChart",
  parameters: { layout: "fullscreen" },
  args: { chart: {}, widthPx: 1440, store: () => sampleHistory(60) },
  loaders: [async ({ args }) => ({ reader: sampleReader(await args.store(), args.reader) })],
  render: ({ chart, widthPx, rightToLeft = false }, { loaded }) => (
    <Stage reader={loaded.reader as TraceReader} widthPx={widthPx} rightToLeft={rightToLeft}>
      <CostChart {...chart} />
    </Stage>
  ),
};
export default meta;

type Story = StoryObj<StoryArgs>;

const dark = { globals: { theme: "dark" } } as const;
const showsBars: Story["play"] = async ({ canvas }) => {
  await expect(await canvas.findByRole("figure")).toBeVisible();
};

export const SevenDays: Story = { play: showsBars };
export const ThirtyDays: Story = { args: { chart: { defaultDays: 30 } }, play: showsBars };
export const ByWorkflow: Story = {
  args: { chart: { defaultDays: 30, defaultGroupBy: "workflow" } },
  play: showsBars,
};
export const ByWorkflowDark: Story = { ...ByWorkflow, ...dark };
export const ByModel: Story = {
  args: { chart: { defaultDays: 30, defaultGroupBy: "model" } },
  play: showsBars,
};
export const Narrow: Story = {
  args: { widthPx: 390, chart: { defaultDays: 30, defaultGroupBy: "workflow" } },
  play: showsBars,
};
export const NarrowDark: Story = { ...Narrow, ...dark };
export const Narrowest: Story = { args: { widthPx: 320 }, play: showsBars };
export const RightToLeft: Story = { args: { rightToLeft: true, widthPx: 760 }, play: showsBars };

/** One day has no known price at all, one is known in part. */
export const Unpriced: Story = { args: { store: partlyPriced }, play: showsBars };

export const TooltipByKeyboard: Story = {
  args: { chart: { defaultGroupBy: "workflow" }, widthPx: 760 },
  play: async ({ canvas, userEvent }) => {
    const figure = await canvas.findByRole("figure");
    figure.querySelector<SVGElement>("svg[tabindex]")?.focus();
    await userEvent.keyboard("{ArrowRight}");
    await expect(figure.querySelector(".sl-tooltip")).toBeVisible();
  },
};

export const AsTable: Story = {
  args: { chart: { defaultGroupBy: "workflow" } },
  play: async ({ canvas, userEvent }) => {
    await canvas.findByRole("figure");
    await userEvent.click(canvas.getByRole("button", { name: "Table" }));
    await expect(canvas.getAllByRole("row")).toHaveLength(8);
  },
};

export const Empty: Story = {
  args: { store: async () => createMemoryStore().forScope("stories") },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No cost in the last 7 days")).toBeVisible();
  },
};
export const Loading: Story = {
  args: { reader: { getDailyCosts: never } },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("Loading")).toBeInTheDocument();
  },
};
export const Failed: Story = {
  args: {
    reader: {
      getDailyCosts: () =>
        Promise.reject(
          new SpanloomError("network_failed", {
            what: "The server could not be reached.",
            fix: "Check the connection.",
          }),
        ),
    },
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("alert", {}, { timeout: 5_000 })).toBeVisible();
  },
};
export const NotPermitted: Story = {
  args: {
    reader: {
      getDailyCosts: () =>
        Promise.reject(new SpanloomError("not_permitted", { what: "Costs are for operators." })),
    },
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("You are not permitted to see this")).toBeVisible();
  },
};

async function partlyPriced(): Promise<ScopedStore> {
  const store = await sampleHistory(2);
  const call = (day: string, id: string, cost?: number): SpanRecord =>
    makeSpan({
      traceId: `${id}`.padStart(32, "f"),
      spanId: id.padStart(16, "0"),
      executionId: `unpriced-${id}`,
      kind: "llm",
      startTime: `${BigInt(Date.parse(`${day}T10:00:00Z`)) * 1_000_000n}`,
      endTime: `${BigInt(Date.parse(`${day}T10:00:02Z`)) * 1_000_000n}`,
      usage: { input: 900, output: 120 },
      ...(cost !== undefined && { cost: { nanoUsd: cost, source: "reported" } }),
    });
  await store.write([
    call("2026-11-17", "a1"),
    call("2026-11-18", "b1", 91_000_000),
    call("2026-11-18", "b2"),
  ]);
  await store.write([call(LAST_DAY, "c1")]);
  return store;
}
