import { EXECUTION_STATUSES, SPAN_KINDS, SpanloomError, type TraceReader } from "@spanloom/model";
import {
  CorrelationChip,
  EmptyState,
  EnvProvenance,
  ErrorState,
  KindIcon,
  LastSyncedBadge,
  NotPermittedState,
  PanelRoot,
  PartialNotice,
  SkeletonRows,
  StatusMark,
} from "@spanloom/react-core";
import { createMemoryStore } from "@spanloom/store/memory";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { expect, fn } from "storybook/test";
import { Stage } from "./Stage.tsx";
import { sampleReader } from "./sample-store.ts";

const TRACE_ID = "7b0c5c1e2f4d4a6f9c3b1d2e4f5a6b7c";
const readsNothing: TraceReader = sampleReader(createMemoryStore().forScope("stories"));

const meta: Meta<{ widthPx: number }> = {
  title: "Shared/Parts",
  parameters: { layout: "fullscreen" },
  args: { widthPx: 760 },
  render: ({ widthPx }) => (
    <Stage reader={readsNothing} widthPx={widthPx}>
      <PanelRoot label="Shared parts">
        <div style={{ display: "grid", gap: 16, padding: 16 }}>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 12 }}>
            {EXECUTION_STATUSES.map((status) => (
              <StatusMark key={status} status={status} />
            ))}
          </div>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 12 }}>
            {SPAN_KINDS.map((kind) => (
              <span key={kind} style={{ display: "inline-flex", gap: 4, alignItems: "center" }}>
                <KindIcon kind={kind} /> {kind}
              </span>
            ))}
          </div>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 12 }}>
            <CorrelationChip kind="trace" id={TRACE_ID} />
            <CorrelationChip kind="span" id={undefined} />
            <EnvProvenance environment="staging" service="ledger-studio" version="3.2.1" />
            <EnvProvenance />
          </div>
          <div style={{ display: "flex", flexWrap: "wrap", gap: 12 }}>
            <LastSyncedBadge at={Date.now()} live="live" />
            <LastSyncedBadge at={Date.now() - 90_000} live="reconnecting" />
            <LastSyncedBadge at={Date.now() - 7_200_000} />
            <LastSyncedBadge at={undefined} />
          </div>
          <PartialNotice>20,000 of 48,211 spans are loaded.</PartialNotice>
          <EmptyState title="No executions yet" hint="An execution appears here with its first span." />
          <ErrorState
            error={
              new SpanloomError("network_failed", {
                what: "The server could not be reached.",
                why: "The connection was refused.",
                fix: "Check that it runs.",
              })
            }
            onRetry={fn()}
          />
          <NotPermittedState />
          <SkeletonRows rows={4} />
        </div>
      </PanelRoot>
    </Stage>
  ),
};
export default meta;

type Story = StoryObj<{ widthPx: number }>;

export const All: Story = {
  play: async ({ canvas }) => {
    await expect(canvas.getByRole("button", { name: /^Copy trace ID/ })).toBeVisible();
    await expect(canvas.getByText("N/A")).toBeVisible();
  },
};
export const Dark: Story = { globals: { theme: "dark" } };
export const Narrow: Story = { args: { widthPx: 320 } };
