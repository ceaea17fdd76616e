import { List, Root, Trigger } from "@radix-ui/react-tabs";
import { sampleTrace } from "@spanloom/model/fixtures";
import { ObservabilityProvider } from "@spanloom/react-core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { TraceTabContent, TraceTabTrigger } from "./radix.tsx";
import { storeWith } from "./trace-tab/trace-tab.test-support.tsx";

afterEach(cleanup);

test("stands in a host's tabs after Execution, and mounts the panel only when it is chosen", async () => {
  const store = await storeWith(sampleTrace());
  render(
    <ObservabilityProvider store={store}>
      <Root defaultValue="execution">
        <List>
          <Trigger value="execution">Execution</Trigger>
          <TraceTabTrigger className="host-tab" />
        </List>
        <TraceTabContent executionId="exec-invoice-1042" style={{ blockSize: 500 }} />
      </Root>
    </ObservabilityProvider>,
  );
  expect(screen.queryByRole("treegrid")).toBeNull();
  const trigger = screen.getByRole("tab", { name: "Trace" });
  expect(trigger.className).toBe("host-tab");
  await userEvent.click(trigger);
  const grid = await screen.findByRole("treegrid");
  expect(grid.clientHeight).toBeGreaterThan(200);
  expect(grid.clientHeight).toBeLessThan(500);
});
