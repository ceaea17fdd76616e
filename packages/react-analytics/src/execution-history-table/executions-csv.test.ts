import { expect, test } from "vitest";
import { call, cents, storeWith } from "../panel.test-support.tsx";
import { executionsCsv } from "./executions-csv.ts";

test("one line each, in UTC, with what is unknown left empty", async () => {
  const store = await storeWith([call("2026-11-20", 2, cents(3)), call("2026-11-19", 3)]);
  const { items } = await store.listExecutions();
  expect(executionsCsv(items).split("\r\n")).toEqual([
    '"execution_id","start_time","workflow","status","duration_ms","cost_usd","unpriced_calls","nodes","input_tokens","output_tokens"',
    '"execution-2","2026-11-20T11:00:00.000000000Z","Invoices","completed",2000,"0.030000000",0,1,200,10',
    '"execution-3","2026-11-19T11:00:00.000000000Z","Invoices","completed",3000,,1,1,300,10',
    "",
  ]);
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])(
  "the name %j does not run as a formula",
  async (name) => {
    const store = await storeWith([call("2026-11-20", 1, { workflowName: name })]);
    const { items } = await store.listExecutions();
    expect(executionsCsv(items)).toContain(`"'${name}"`);
  },
);

test("quotes and line breaks stay inside their cell", async () => {
  const store = await storeWith([call("2026-11-20", 1, { workflowName: 'a "b",\nc' })]);
  const { items } = await store.listExecutions();
  expect(executionsCsv(items)).toContain('"a ""b"",\nc"');
});
