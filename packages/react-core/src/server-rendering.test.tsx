import { createMemoryStore } from "@spanloom/store/memory";
import type { ReactElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { useObservability } from "./context.ts";
import { useTrace } from "./hooks/use-trace.ts";
import { ObservabilityProvider } from "./ObservabilityProvider.tsx";
import { readerOf } from "./reader.test-support.ts";
import { SkeletonRows } from "./states/states.tsx";
import { PanelRoot } from "./theme/PanelRoot.tsx";

function Panel(): ReactElement {
  const { status } = useTrace("exec-1");
  return (
    <PanelRoot label="Trace">
      {status} {useObservability().timeZone}
      <SkeletonRows rows={2} />
    </PanelRoot>
  );
}

test("a server renders the loading state, reads nothing, and knows no local zone", () => {
  const getTrace = vi.fn();
  const reader = readerOf(createMemoryStore().forScope("test"), { getTrace });
  const html = renderToString(
    <ObservabilityProvider store={reader} theme="dark">
      <Panel />
    </ObservabilityProvider>,
  );
  expect(html).toContain('data-theme="dark"');
  expect(html).toContain("loading");
  expect(html).toContain("UTC");
  expect(getTrace).not.toHaveBeenCalled();
});
