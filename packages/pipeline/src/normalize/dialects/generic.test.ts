import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";

const normalize = createNormalizer();

describe("our own keys, on a span of any instrumentation", () => {
  test("become fields", () => {
    const traceId = "7b0c5c1e2f4d4a6f9c3b1d2e4f5a6b7c";
    const record = normalize(
      makeSpan({
        executionId: traceId,
        attributes: {
          "spanloom.execution.id": "run-1",
          "spanloom.execution.status": "waiting",
          "spanloom.workflow.id": "wf",
          "spanloom.workflow.name": "Workflow",
          "spanloom.thread.id": "thread",
          "spanloom.span.kind": "node",
          "spanloom.node.id": "draft",
          "spanloom.node.type": "writer",
          "spanloom.node.attempt": 2,
          other: 1,
        },
      }),
    );
    expect(record).toMatchObject({
      executionId: "run-1",
      executionStatus: "waiting",
      workflowId: "wf",
      workflowName: "Workflow",
      threadId: "thread",
      kind: "node",
      nodeId: "draft",
      nodeType: "writer",
      attempt: 2,
    });
    expect({ ...record.attributes }).toEqual({ other: 1 });
    expect(record.provenance?.executionId).toEqual({ dialect: "generic", key: "spanloom.execution.id" });
  });

  test("stay where they cannot be fields", () => {
    const attributes = {
      "spanloom.node.id": "",
      "spanloom.workflow.id": "x".repeat(201),
      // A store would refuse the span for it.
      "spanloom.thread.id": "x".repeat(201),
      "gen_ai.conversation.id": "..",
      "spanloom.span.kind": "dream",
      "spanloom.node.attempt": 0,
      "spanloom.execution.id": "other",
    };
    const record = makeSpan({ executionId: "named", attributes });
    expect(normalize(record)).toEqual(record);
  });
});

describe("kinds that show without a dialect", () => {
  test.each([
    [{ "http.request.method": "GET", "url.full": "http://localhost/" }, "http"],
    [{ "http.method": "GET" }, "http"],
    [{ "gen_ai.request.model": "gpt-4o" }, "llm"],
    [{ "db.system": "sqlite" }, "internal"],
  ])("%j", (attributes, kind) => {
    expect(normalize(makeSpan({ attributes })).kind).toBe(kind);
  });

  test("a kind that stands stays", () => {
    expect(normalize(makeSpan({ kind: "tool", attributes: { "http.method": "GET" } })).kind).toBe("tool");
  });
});
