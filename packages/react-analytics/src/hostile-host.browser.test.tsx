import { sampleTrace } from "@spanloom/model/fixtures";
import { ObservabilityProvider } from "@spanloom/react-core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { show, storeWith } from "./panel.test-support.tsx";
import { RunMetrics } from "./run-metrics/RunMetrics.tsx";
import "@spanloom/react-core/styles.css";
import "./styles.css";

const INVOICE = "exec-invoice-1042";

afterEach(cleanup);

/** What some hosts' own style sheets do to every element, outside any layer. */
const HOSTILE = `
  * { margin: 7px; padding: 9px; color: rgb(255, 0, 0); font: 30px cursive; letter-spacing: 3px; text-align: center;
      border: 2px solid red; background: yellow; box-sizing: content-box; }
  h3 { font-size: 60px; text-transform: uppercase; }
  table { width: 50px; background: pink; }
  table td, table th { padding: 40px; background: lime; }
  button { border-radius: 99px; text-transform: uppercase; }
`;
const CHECKED = [
  "color",
  "fontSize",
  "fontWeight",
  "letterSpacing",
  "textTransform",
  "textAlign",
  "marginTop",
  "paddingTop",
  "paddingInlineStart",
  "borderTopWidth",
  "backgroundColor",
  "boxSizing",
  "width",
] as const;

test("a panel looks the same under a host's rules for all elements", async () => {
  const store = await storeWith(sampleTrace());
  const { container } = show(<RunMetrics executionId={INVOICE} />, store, 900);
  await screen.findByRole("region", { name: "Latency" });
  const before = looks(container);
  const sheet = document.createElement("style");
  sheet.textContent = HOSTILE;
  document.head.prepend(sheet);
  try {
    expect(looks(container)).toEqual(before);
  } finally {
    sheet.remove();
  }
});

test("the nearest theme wins, however themes are nested", async () => {
  const store = await storeWith(sampleTrace());
  const panel = <RunMetrics executionId={INVOICE} />;
  const { container } = render(
    <div data-theme="dark">
      <ObservabilityProvider store={store}>
        {panel}
        <div data-theme="light">{panel}</div>
      </ObservabilityProvider>
      <ObservabilityProvider store={store} theme="light">
        {panel}
      </ObservabilityProvider>
    </div>,
  );
  const backgrounds = Array.from(
    container.querySelectorAll(".sl-root"),
    (root) => getComputedStyle(root).backgroundColor,
  );
  expect(backgrounds).toEqual(["rgb(16, 17, 20)", "rgb(255, 255, 255)", "rgb(255, 255, 255)"]);
});

test("a panel reads from right to left without pushing anything out", async () => {
  const store = await storeWith(sampleTrace());
  const { container } = render(
    <div dir="rtl" style={{ inlineSize: 390 }}>
      <ObservabilityProvider store={store}>
        <RunMetrics executionId={INVOICE} />
      </ObservabilityProvider>
    </div>,
  );
  await screen.findByRole("region", { name: "Latency" });
  expect(container.querySelector(".sl-root")?.scrollWidth).toBeLessThanOrEqual(390);
  const head = screen.getAllByRole("columnheader", { name: "Stage" })[0];
  expect(getComputedStyle(head as HTMLElement).textAlign).toBe("start");
});

/** The looks of every HTML element inside the panel. */
function looks(container: HTMLElement): string[] {
  return Array.from(container.querySelectorAll<HTMLElement>(".sl-root *:not(svg, svg *)"), (element) => {
    const style = getComputedStyle(element);
    const name = `${element.tagName.toLowerCase()}.${element.className}`;
    return `${name} ${CHECKED.map((property) => `${property}=${style[property]}`).join(" ")}`;
  });
}
