import { type PanelConfig, type ScopedStore, SpanloomError, type TraceReader } from "@spanloom/model";
import { makeSpan, sampleTrace } from "@spanloom/model/fixtures";
import { CostBreakdown, RunMetrics } from "@spanloom/react-analytics";
import { createMemoryStore } from "@spanloom/store/memory";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect } from "storybook/test";
import { Stage } from "./Stage.tsx";
import { never, runningHistory, sampleReader } from "./sample-store.ts";

interface StoryArgs {
  executionId: string;
  breakdown?: boolean;
  widthPx: number;
  rightToLeft?: boolean;
  store: () => Promise<ScopedStore>;
  reader?: Partial<TraceReader>;
}

const operator: PanelConfig = {
  roles: ["operator"],
  links: {
    run: { label: "Open in Grafana", template: "http://127.0.0.1:3000/d/runs?var-run_id={run_id}" },
    trace: { label: "View trace", template: "http://127.0.0.1:3200/trace/{trace_id}" },
  },
  environment: "staging",
  service: "ledger-studio",
  serviceVersion: "3.2.1",
  contentPermitted: true,
};
const consumer: PanelConfig = {
  roles: ["consumer"],
  environment: "staging",
  service: "ledger-studio",
  serviceVersion: "3.2.1",
  contentPermitted: true,
};

const meta: Meta<StoryArgs> = {
  title: "Analytics/RunMetrics",
  parameters: { layout: "fullscreen" },
  args: {
    executionId: "exec-invoice-1042",
    widthPx: 1440,
    store: sampleRun,
    reader: { getConfig: async () => consumer },
  },
  loaders: [async ({ args }) => ({ reader: sampleReader(await args.store(), args.reader) })],
  render: ({ executionId, breakdown, widthPx, rightToLeft = false }, { loaded }) => (
    <Stage reader={loaded.reader as TraceReader} widthPx={widthPx} rightToLeft={rightToLeft}>
      {breakdown ? <CostBreakdown executionId={executionId} /> : <RunMetrics executionId={executionId} />}
    </Stage>
  ),
};
export default meta;

type Story = StoryObj<StoryArgs>;

const dark = { globals: { theme: "dark" } } as const;
const asOperator = { getConfig: async () => operator };
const showsTokens: Story["play"] = async ({ canvas, userEvent }) => {
  await userEvent.click(await canvas.findByRole("button", { name: "Show token usage" }));
  await expect(canvas.getByRole("columnheader", { name: "Prompt tokens" })).toBeVisible();
};

export const Completed: Story = {
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("MCP cache")).toBeVisible();
    await expect(canvas.queryByRole("link")).toBeNull();
  },
};
export const Operator: Story = { args: { reader: asOperator }, play: showsTokens };
export const OperatorDark: Story = { ...Operator, ...dark };
export const Narrow: Story = { args: { widthPx: 390, reader: asOperator }, play: showsTokens };
export const NarrowDark: Story = { ...Narrow, ...dark };
export const Narrowest: Story = { args: { widthPx: 320, reader: asOperator }, play: showsTokens };
export const RightToLeft: Story = { args: { rightToLeft: true, widthPx: 760 }, play: showsTokens };
export const Running: Story = {
  args: { executionId: "exec-running", store: runningHistory },
  play: async (context) => {
    await showsTokens(context);
    const note = "Stage in progress — token usage will appear when complete";
    await expect((await context.canvas.findAllByText(note))[0]).toBeVisible();
  },
};
export const NoCache: Story = {
  args: {
    executionId: "plain",
    store: async () => {
      const store = createMemoryStore().forScope("stories");
      await store.write([
        makeSpan({
          executionId: "plain",
          kind: "workflow",
          workflowName: "Plain",
          executionStatus: "completed",
        }),
      ]);
      return store;
    },
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No MCP calls in this run")).toBeVisible();
  },
};
export const Loading: Story = {
  args: { reader: { getRunMetrics: never } },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("Loading")).toBeInTheDocument();
  },
};
export const NotFound: Story = {
  args: { executionId: "run-that-never-was" },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("No run with this id")).toBeVisible();
  },
};
export const Failed: Story = {
  args: { reader: { getRunMetrics: () => Promise.reject(new Error("The server could not be reached.")) } },
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("alert", {}, { timeout: 5_000 })).toBeVisible();
  },
};
export const NotPermitted: Story = {
  args: {
    reader: {
      getRunMetrics: () =>
        Promise.reject(new SpanloomError("not_permitted", { what: "Metrics are for operators." })),
    },
  },
  play: async ({ canvas }) => {
    await expect(await canvas.findByText("You are not permitted to see this")).toBeVisible();
  },
};
export const CostByNode: Story = {
  args: { breakdown: true, widthPx: 760 },
  play: async ({ canvas }) => {
    await expect(await canvas.findByRole("rowheader", { name: "Total" })).toBeVisible();
  },
};
export const CostByNodeDark: Story = { ...CostByNode, ...dark };

async function sampleRun(): Promise<ScopedStore> {
  const store = createMemoryStore().forScope("stories");
  await store.write(sampleTrace());
  return store;
}
