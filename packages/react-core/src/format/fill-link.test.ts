import { describe, expect, test } from "vitest";
import { fillLink } from "./fill-link.ts";

test("fills names with URL-encoded values", () => {
  const template = "https://grafana.example/d/runs?var-run={run_id}&from={start_ms}";
  expect(fillLink(template, { run_id: "a b&c=1", start_ms: 12 })).toBe(
    "https://grafana.example/d/runs?var-run=a%20b%26c%3D1&from=12",
  );
  expect(fillLink("/runs/{run_id}", { run_id: "../../admin" })).toBe("/runs/..%2F..%2Fadmin");
});

test("offers no link when a value is missing, also one that every object has by birth", () => {
  expect(fillLink("/runs/{run_id}", {})).toBeUndefined();
  expect(fillLink("/runs/{run_id}", { run_id: undefined })).toBeUndefined();
  expect(fillLink("/runs/{constructor}", { run_id: "1" })).toBeUndefined();
});

describe("a template that is no page", () => {
  test.each([
    "javascript:alert(1)//{id}",
    "JaVaScRiPt:alert({id})",
    " https://example.com/{id}",
    "\tjavascript:alert({id})",
    "data:text/html,<script>{id}</script>",
    "vbscript:{id}",
    "blob:https://example.com/{id}",
    "//elsewhere.example/{id}",
    "/\\elsewhere.example/{id}",
    "{id}",
    "",
  ])("%j gives no link", (template) => {
    expect(fillLink(template, { id: "javascript:alert(1)" })).toBeUndefined();
  });
});

test("a value with half a surrogate pair does not throw", () => {
  expect(fillLink("/runs/{id}", { id: "a\ud800b" })).toBe("/runs/a%EF%BF%BDb");
  expect(fillLink("/runs/{id}", { id: "🦊" })).toBe("/runs/%F0%9F%A6%8A");
});
