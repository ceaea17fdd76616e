import { type ScopedStore, SpanloomError, type TraceReader } from "@spanloom/model";
import { ExecutionHistoryTable, type ExecutionHistoryTableProps } from "@spanloom/react-analytics";
import { createMemoryStore } from "@spanloom/store/memory";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect, fn } from "storybook/test";
import { Stage } from "./Stage.tsx";
import { never, runningHistory, sampleHistory, sampleReader } from "./sample-store.ts";

interface StoryArgs {
  table: ExecutionHistoryTableProps;
  widthPx: number;
  rightToLeft?: boolean;
  locale?: string;
  store: () => Promise<ScopedStore>;
  reader?: Partial<TraceReader>;
}

const meta: Meta<StoryArgs> = {
  title: "Analytics/ExecutionHistoryTable",
  parameters: { layout: "fullscreen" },
  args: { table: { pageSize: 12 }, widthPx: 1440, store: () => sampleHistory(8) },
  loaders: [async ({ args }) => ({ reader: sampleReader(await args.store(), args.reader) })],
  render: ({ table, widthPx, rightToLeft = false, locale = "en-US" }, { loaded }) => (
    <Stage reader={loaded.reader as TraceReader} widthPx={widthPx} rightToLeft={rightToLeft} locale={locale}>
      <ExecutionHistoryTable {...table} />
    </Stage>
  ),
};
export default meta;

type Story = StoryObj<StoryArgs>;

const dark = { globals: { theme: "dark" } } as const;
const showsRows: Story["play"] = async ({ canvas }) => {
  await expect(await canvas.findByRole("table")).toBeVisible();
};
const opensFirst: Story["play"] = async ({ canvas, userEvent }) => {
  const [first] = await canvas.findAllByRole("button", { name: /^Cost by node of/ });
  if (first !== undefined) await userEvent.click(first);
  await expect(await canvas.findByRole("columnheader", { name: "Input tokens" })).toBeVisible();
};

export const Rows: Story = { play: showsRows };
export const WithOpen: Story = {
  args: { table: { pageSize: 12, onSelectExecution: fn() } },
  play: showsRows,
};
export const Expanded: Story = {
  args: { table: { pageSize: 12, onSelectExecution: fn() } },
  play: opensFirst,
};
export const ExpandedDark: Story = { ...Expanded, ...dark };
export const Narrow: Story = { args: { widthPx: 390, table: { pageSize: 8 } }, play: showsRows };
export const NarrowExpanded: Story = {
  args: { widthPx: 390, table: { pageSize: 8, onSelectExecution: fn() } },
  play: opensFirst,
};
export const NarrowDark: Story = { ...NarrowExpanded, ...dark };
export const Narrowest: Story = { args: { widthPx: 320, table: { pageSize: 8 } }, play: showsRows };
export const RightToLeft: Story = { args: { rightToLeft: true, widthPx: 760 }, play: opensFirst };
export const German: Story = { args: { locale: "de-DE", widthPx: 900 }, play: showsRows };
export const Running: Story = { args: { store: runningHistory, widthPx: 900 }, play: showsRows };

export const SortedByCost: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.click(await canvas.findByRole("button", { name: "Cost" }));
    await expect(canvas.getByRole("columnheader", { name: "Cost" })).toHaveAttribute(
      "aria-sort",
      "descending",
    );
  },
};
export const NoMatch: Story = {
  play: async ({ canvas, userEvent }) => {
    await userEvent.type(await canvas.findByRole("searchbox"), "no such workflow");
    await expect(await canvas.findByText("No execution matches")).toBeVisible();
  },
};
export const Empty: Story = {
  args: { store: async () => createMemoryStore().forScope("stories") },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No executions yet")).toBeVisible();
  },
};
export const Loading: Story = {
  args: { reader: { listExecutions: never } },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("Loading")).toBeInTheDocument();
  },
};
export const Failed: Story = {
  args: { reader: { listExecutions: () => Promise.reject(new Error("The server could not be reached.")) } },
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("alert", {}, { timeout: 5_000 })).toBeVisible();
  },
};
export const NotPermitted: Story = {
  args: {
    reader: {
      listExecutions: () =>
        Promise.reject(new SpanloomError("not_permitted", { what: "Executions are for operators." })),
    },
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("You are not permitted to see this")).toBeVisible();
  },
};
