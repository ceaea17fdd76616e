import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracer } from "../create-workflow-tracer.ts";
import { traceHeaders } from "../propagate/index.ts";
import { collectingSink } from "../sinks.test-support.ts";

/** As small as a manager may be: no arguments, no binding. */
class OwnManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = (): Context => this.#storage.getStore() ?? ROOT_CONTEXT;
  with<T>(within: Context, fn: () => T): T {
    return this.#storage.run(within, fn);
  }
  bind<T>(_within: Context, target: T): T {
    return target;
  }
  enable = (): this => this;
  disable = (): this => this;
}

const LANGUAGE = createContextKey("language");

afterAll(() => {
  context.disable();
  trace.disable();
});

// In this order: a process has ours first, then a host takes it away and sets its own.
describe.each([
  ["the tracer's own", () => undefined],
  ["AsyncLocalStorageContextManager, set later", () => new AsyncLocalStorageContextManager().enable()],
  ["one of the host, set later", () => new OwnManager()],
])("with %s as context manager", (_name, makeManager) => {
  const use = (): void => {
    const manager = makeManager();
    if (manager === undefined) return;
    context.disable();
    context.setGlobalContextManager(manager as ContextManager);
  };

  test("a callback runs below its span, also below another tracer's, and finds its place again behind it", async () => {
    const { tracer, spans } = setUp();
    const other = setUp();
    use();
    const seen: Record<string, unknown> = {};
    await tracer.execution({ workflowId: "outer" }, async (outer) => {
      await outer.node({ id: "n" }, async (node) => {
        await other.tracer.execution({ workflowId: "inner" }, async (inner) => {
          await Promise.resolve();
          seen.inner = [activeId(), inner.spanId, other.tracer.activeSpan()?.spanId];
          // The outer tracer still knows its own.
          const here = context.active().setValue(LANGUAGE, "de");
          seen.outer = [
            node.spanId,
            tracer.activeSpan()?.spanId,
            context.with(here, () => tracer.activeSpan()?.spanId),
          ];
          inner.tool({ name: "deeper" }, () => expect(tracer.activeSpan()?.spanId).toBe(node.spanId));
          await outer.node({ id: "back" }, async (back) => {
            await Promise.resolve();
            seen.back = [activeId(), back.spanId, tracer.activeSpan()?.spanId];
          });
        });
        seen.node = [activeId(), node.spanId, tracer.activeSpan()?.spanId];
      });
    });
    for (const ids of Object.values(seen)) expect(new Set(ids as string[]).size).toBe(1);
    expect(Object.keys(seen)).toEqual(["inner", "outer", "back", "node"]);
    expect(activeId()).toBeUndefined();
    await tracer.flush();
    await other.tracer.flush();
    const inner = other.spans().find(({ name }) => name === "inner");
    expect(inner?.links).toMatchObject([{ spanId: spans().find(({ name }) => name === "n")?.spanId }]);
  });

  test("a run that is not recorded changes nothing of what other code finds", () => {
    const { tracer } = setUp();
    use();
    tracer.execution({ workflowId: "w" }, ({ spanId }) => {
      tracer.execution({ workflowId: "off", enabled: false }, (off) => {
        expect([activeId(), tracer.activeSpan()?.spanId]).toEqual([spanId, off.spanId]);
        context.with(context.active().setValue(LANGUAGE, "de"), () =>
          off.tool({ name: "t" }, () => expect(context.active().getValue(LANGUAGE)).toBe("de")),
        );
        tracer.execution({ workflowId: "on" }, (on) => expect(activeId()).toBe(on.spanId));
        expect(activeId()).toBe(spanId);
      });
    });
  });

  test("what the host's code puts into its context inside a callback holds for the spans that start there", async () => {
    const { tracer, spans } = setUp();
    use();
    await tracer.execution({ workflowId: "w" }, (execution) =>
      execution.node({ id: "n" }, async (node) => {
        const tenant = propagation.createBaggage({ tenant: { value: "t-1" } });
        const around = propagation.setBaggage(context.active().setValue(LANGUAGE, "de"), tenant);
        await context.with(around, () =>
          node.tool({ name: "t" }, async (tool) => {
            await Promise.resolve();
            expect([activeId(), context.active().getValue(LANGUAGE)]).toEqual([tool.spanId, "de"]);
            expect(traceHeaders(tool).baggage).toContain("tenant=t-1");
            tool.llm({ model: "m" }, () => expect(context.active().getValue(LANGUAGE)).toBe("de"));
          }),
        );
        node.tool({ name: "behind" }, () => expect(context.active().getValue(LANGUAGE)).toBeUndefined());
        context.with(ROOT_CONTEXT, () =>
          node.tool({ name: "detached" }, ({ spanId }) => expect(activeId()).toBe(spanId)),
        );
      }),
    );
    await tracer.flush();
    const ids = new Map(spans().map(({ name, spanId }) => [name, spanId]));
    const parents = spans().map(({ name, parentSpanId }) => [name, parentSpanId]);
    expect(new Map(parents as [string, string][])).toEqual(
      new Map([
        ["w", undefined],
        ["n", ids.get("w")],
        ["t", ids.get("n")],
        ["m", ids.get("t")],
        ["behind", ids.get("n")],
        ["detached", ids.get("n")],
      ]),
    );
  });

  test("an execution that joins the active trace stands below it, and its callback keeps the host's baggage", async () => {
    const { tracer, spans } = setUp();
    use();
    const tenant = propagation.createBaggage({ tenant: { value: "t-2" } });
    const caller = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
    // Until the first execution nobody carries a context.
    tracer.execution({ workflowId: "first" }, () => undefined);
    context.with(propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, caller), tenant), () =>
      tracer.execution({ workflowId: "joins", joinActiveTrace: true }, () =>
        expect(propagation.getActiveBaggage()?.getEntry("tenant")?.value).toBe("t-2"),
      ),
    );
    await tracer.flush();
    expect(spans().find(({ name }) => name === "joins")).toMatchObject({
      traceId: caller.traceId,
      parentSpanId: caller.spanId,
    });
  });
});

test("without any context manager our own spans find their place, and nothing else does", async () => {
  context.disable();
  const { tracer } = setUp();
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, async (node) => {
      await Promise.resolve();
      expect([activeId(), tracer.activeSpan()?.spanId]).toEqual([undefined, node.spanId]);
    }),
  );
});

function activeId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().spanId;
}

function setUp(): { tracer: WorkflowTracer; spans: ReturnType<typeof collectingSink>["spans"] } {
  const sink = collectingSink();
  return { tracer: createWorkflowTracer({ store: sink }), spans: () => sink.spans() };
}
