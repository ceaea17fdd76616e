import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { failToStart, type Studio, startStudio, temporaryFolder } from "./support/studio.ts";

const data = temporaryFolder();
afterAll(() => data.remove());

/** A studio that is gone when the test is, however that ends. */
async function start(env: Record<string, string> = {}): Promise<Studio> {
  const studio = await startStudio(data.path, env);
  onTestFinished(async () => void (await studio.stop()));
  return studio;
}

test("runs every workflow once, keeps all of it over a restart, and runs nothing again", async () => {
  const first = await start();
  expect(first.lines.filter((line) => line.includes("http://"))).toHaveLength(1);
  expect(first.lines.filter((line) => /^ +\d+\/16 /.test(line))).toHaveLength(16);
  const before = await first.store.listExecutions({ limit: 100 });
  expect(before.items).toHaveLength(16);
  expect(new Set(before.items.map(({ status }) => status))).toEqual(new Set(["completed", "failed"]));
  expect(await first.stop()).toBe(0);

  const second = await start();
  expect(await second.store.listExecutions({ limit: 100 })).toEqual(before);
  const executionId = before.items.at(-1)?.executionId ?? "";
  const trace = await second.store.getTrace(executionId, { view: "full" });
  expect(trace?.spans.length).toBe(before.items.at(-1)?.spanCount);
  expect(await second.stop()).toBe(0);
});

test("a run that is stopped with the studio does not stay running for ever", async () => {
  const studio = await start({ STUDIO_MODEL_DELAY_MS: "5000" });
  const answer = await fetch(`${studio.url}/api/studio/executions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      workflowId: "invoice-triage",
      documentId: "invoices/alder-finch-2041.md",
      pace: "slow",
    }),
  });
  const { executionId } = await answer.json();
  expect((await studio.store.getExecution(executionId))?.status).toBe("running");
  expect(await studio.stop()).toBe(0);

  const again = await start();
  expect((await again.store.getExecution(executionId))?.status).toBe("cancelled");
  expect(await again.stop()).toBe(0);
});

test("says what to do when the port is taken", async () => {
  const studio = await start();
  const { code, text } = await failToStart({ PORT: new URL(studio.url).port, SPANLOOM_DATA: data.path });
  expect(code).toBe(1);
  expect(text).toMatch(/Port \d+ is in use.*choose another port: PORT=\d+ npm start/);
  expect(text).not.toContain("    at ");
});

test("says what to do when the data folder cannot be written, or a setting is wrong", async () => {
  const file = join(data.path, "a-file");
  writeFileSync(file, "");
  const folder = await failToStart({ PORT: "0", SPANLOOM_DATA: join(file, "data") });
  expect(folder.code).toBe(1);
  expect(folder.text).toMatch(/cannot be written.*Set SPANLOOM_DATA to a folder/);
  const port = await failToStart({ PORT: "http", SPANLOOM_DATA: data.path });
  expect(port.text).toContain("PORT=http is not a whole number");
});
