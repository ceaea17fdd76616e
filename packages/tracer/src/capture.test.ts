import { isJson } from "@spanloom/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { captureContent } from "./capture.ts";

test("text, chat messages and JSON are told apart", () => {
  expect(captureContent("hi")).toEqual({ format: "text", state: "captured", text: "hi" });
  expect(captureContent({ a: [1, null] })).toEqual({
    format: "json",
    state: "captured",
    json: { a: [1, null] },
  });
  expect(captureContent(undefined)).toBeUndefined();
  expect(captureContent([{ role: "user" }])).toMatchObject({ format: "json" });
  expect(captureContent({ role: "user", content: "hi" })).toMatchObject({ format: "json" });
});

test("chat messages as the large SDKs write them", () => {
  const content = captureContent([
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "Sum?" },
        { type: "image_url", image_url: { url: "u" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "3" },
    { role: "assistant", parts: [{ type: "text", content: "3" }], finish_reason: "stop" },
  ]);
  expect(content).toEqual({
    format: "messages",
    state: "captured",
    messages: [
      { role: "system", parts: [{ type: "text", content: "Be brief." }] },
      {
        role: "user",
        parts: [
          { type: "text", content: "Sum?" },
          { type: "media", modality: "image", uri: "u" },
        ],
      },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "add", arguments: { a: 1 } }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "3" }] },
      { role: "assistant", parts: [{ type: "text", content: "3" }], finishReason: "stop" },
    ],
  });
  const calls = captureContent([
    { role: "assistant", content: "", tool_calls: [{ function: { name: "add", arguments: { a: 1 } } }] },
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: "c2", name: "add", args: { a: 2 }, type: "tool_call" }],
    },
  ]);
  expect(calls).toMatchObject({
    messages: [
      { parts: [{ type: "tool_call", name: "add", arguments: { a: 1 } }] },
      { parts: [{ type: "tool_call", id: "c2", name: "add", arguments: { a: 2 } }] },
    ],
  });
  const again = { role: "assistant", parts: [{ type: "text", content: "3" }], finishReason: "stop" };
  expect(captureContent([again])).toMatchObject({ messages: [again] });
});

test("what JSON cannot hold becomes something that it can", () => {
  const cycle: Record<string, unknown> = { name: "loop" };
  cycle.self = cycle;
  const value = {
    cycle,
    date: new Date(0),
    error: new RangeError("no"),
    map: new Map([["k", new Set([1n])]]),
    bytes: new Uint8Array(3),
    gone: () => 1,
    nan: Number.NaN,
    stream: new ReadableStream(),
    get broken(): never {
      throw new Error("getter");
    },
  };
  const { broken: _, ...rest } = Object.getOwnPropertyDescriptors(value);
  expect(captureContent(Object.defineProperties({}, rest))).toMatchObject({
    json: {
      cycle: { name: "loop", self: "[circular]" },
      date: "1970-01-01T00:00:00.000Z",
      error: { name: "RangeError", message: "no" },
      map: { k: ["1"] },
      bytes: "[3 bytes]",
      nan: "NaN",
      stream: "[ReadableStream]",
    },
  });
  expect(captureContent({ value })).toMatchObject({ json: { value: "[unreadable]" } });
});

test("what is too long is cut, and says so", () => {
  expect(captureContent("x".repeat(20), 10)).toMatchObject({ state: "truncated", text: "x".repeat(10) });
  const cut = captureContent({ list: Array.from({ length: 1000 }, (_, index) => `item ${index}`) }, 100);
  expect(cut).toMatchObject({ format: "json", state: "truncated" });
  expect(cut?.format === "json" && cut.text?.length).toBeLessThan(150);
});

test("any value gives content that stores accept, and stays as it was", () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
      (value) => {
        const before = structuredClone(value);
        expect(isJson(captureContent(value) ?? null)).toBe(true);
        expect(value).toEqual(before);
      },
    ),
  );
  let deep: unknown = "end";
  for (let level = 0; level < 10_000; level++) deep = [deep];
  expect(isJson(captureContent(deep))).toBe(true);
});
