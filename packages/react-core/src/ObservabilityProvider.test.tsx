// @vitest-environment jsdom
import { type ScopedStore, SpanloomError, type TraceReader } from "@spanloom/model";
import { makeTrace, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { createMemoryStore } from "@spanloom/store/memory";
import { QueryClient, QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import { cleanup, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactElement, type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useObservability } from "./context.ts";
import { useExecution, useExecutions, useSpan } from "./hooks/queries.ts";
import { useTrace } from "./hooks/use-trace.ts";
import { ObservabilityProvider } from "./ObservabilityProvider.tsx";
import { gate, readerOf } from "./reader.test-support.ts";

const INVOICE = "exec-invoice-1042";
let store: ScopedStore;

beforeEach(async () => {
  store = createMemoryStore().forScope("test");
  await store.write(sampleTrace());
});
afterEach(cleanup);

describe("provider", () => {
  test("an answer for one principal is not shown to the next", async () => {
    let allowed = true;
    const reader = readerOf(store, {
      getExecution: (id) =>
        allowed
          ? store.getExecution(id)
          : Promise.reject(new SpanloomError("not_permitted", { what: "Not for you." })),
    });
    const { rerender } = render(<App reader={reader} principal="ada" />);
    await screen.findByText("ready Invoice approval");
    allowed = false;
    rerender(<App reader={reader} principal="eve" />);
    expect(screen.getByText("loading")).toBeDefined();
    await screen.findByText("not-permitted");
  });

  test("another store shares nothing with the one before", async () => {
    const other = createMemoryStore().forScope("other");
    const { rerender } = render(<App reader={readerOf(store)} />);
    await screen.findByText("ready Invoice approval");
    rerender(<App reader={readerOf(other)} />);
    expect(screen.getByText("loading")).toBeDefined();
    await screen.findByText("not-found");
  });

  test("the host's query client stays the host's", () => {
    const hosts = new QueryClient();
    const { result } = renderHook(() => useQueryClient(), {
      wrapper: ({ children }: { children: ReactNode }) => (
        <QueryClientProvider client={hosts}>
          <ObservabilityProvider store={readerOf(store)}>{children}</ObservabilityProvider>
        </QueryClientProvider>
      ),
    });
    expect(result.current).toBe(hosts);
    expect(hosts.getQueryCache().getAll()).toEqual([]);
  });

  test("a hook without a provider says what to do", () => {
    expect(() => renderHook(() => useObservability())).toThrow(/ObservabilityProvider store/);
  });
});

describe("useTrace", () => {
  test("another execution never shows the answer to the one before, not even for one render", async () => {
    await store.write(makeTrace({ spans: 30, executionId: "second" }));
    const slow = gate();
    const reader = readerOf(store, {
      async getTrace(id, query) {
        if (id === INVOICE) await slow.opened;
        return store.getTrace(id, query);
      },
    });
    const seen: string[] = [];
    const { rerender } = renderHook(
      ({ id }: { id: string }) => {
        const { execution, status } = useTrace(id);
        seen.push(`${id}: ${execution?.executionId ?? status}`);
      },
      { wrapper: wrapperOf(reader), initialProps: { id: "second" } },
    );
    await waitFor(() => expect(seen.at(-1)).toBe("second: second"));
    rerender({ id: INVOICE });
    rerender({ id: "second" });
    rerender({ id: INVOICE });
    slow.open();
    await waitFor(() => expect(seen.at(-1)).toBe(`${INVOICE}: ${INVOICE}`));
    expect(new Set(seen)).toEqual(
      new Set(["second: loading", "second: second", `${INVOICE}: loading`, `${INVOICE}: ${INVOICE}`]),
    );
  });

  test("is idle without an execution", () => {
    const { result } = renderHook(() => useTrace(undefined), { wrapper: wrapperOf(readerOf(store)) });
    expect(result.current).toMatchObject({ status: "idle", spans: [] });
  });

  test("follows live changes under StrictMode, where every effect runs twice", async () => {
    const live = createMemoryStore().forScope("live");
    await live.write(runningTrace());
    const { result } = renderHook(() => useTrace(INVOICE), {
      wrapper: ({ children }: { children: ReactNode }) => (
        <StrictMode>
          <ObservabilityProvider store={readerOf(live)}>{children}</ObservabilityProvider>
        </StrictMode>
      ),
    });
    await waitFor(() => expect(result.current).toMatchObject({ complete: true, live: "live" }));
    await live.write(sampleTrace());
    await waitFor(() => expect(result.current).toMatchObject({ live: "ended", spanCount: 26 }));
  });
});

describe("queries", () => {
  test("a page that waits for its answer shows the one before and says so", async () => {
    await store.write(makeTrace({ spans: 5, executionId: "second" }));
    const held = gate();
    const reader = readerOf(store, {
      async listExecutions(query) {
        if (query?.text === "second") await held.opened;
        return store.listExecutions(query);
      },
    });
    const { result, rerender } = renderHook(
      ({ text }: { text?: string }) => useExecutions(text ? { text } : {}),
      {
        wrapper: wrapperOf(reader),
        initialProps: {},
      },
    );
    await waitFor(() => expect(result.current.data?.items).toHaveLength(2));
    expect(result.current.lastSyncedAt).toBeGreaterThan(0);
    rerender({ text: "second" });
    expect(result.current).toMatchObject({ status: "ready", outdated: true });
    expect(result.current.lastSyncedAt).toBeUndefined();
    held.open();
    await waitFor(() => expect(result.current.data?.items).toHaveLength(1));
    expect(result.current.outdated).toBeUndefined();
  });

  test("a failed refresh keeps the answer and tells of the failure; a refused one takes it away", async () => {
    let failure: Error | undefined;
    const reader = readerOf(store, {
      getExecution: (id) => (failure === undefined ? store.getExecution(id) : Promise.reject(failure)),
    });
    const { result } = renderHook(() => useExecution(INVOICE), { wrapper: wrapperOf(reader) });
    await waitFor(() => expect(result.current.status).toBe("ready"));
    failure = new Error("server is down");
    result.current.retry();
    await waitFor(() => expect(result.current.error).toBe(failure), { timeout: 5_000 });
    expect(result.current).toMatchObject({ status: "ready", data: { executionId: INVOICE } });
    failure = new SpanloomError("not_permitted", { what: "No more." });
    result.current.retry();
    await waitFor(() => expect(result.current.status).toBe("not-permitted"));
    expect(result.current.data).toBeUndefined();
  });

  test("a span is read again when its revision grows", async () => {
    const [root] = sampleTrace();
    if (root === undefined) throw new Error("The sample is empty.");
    const getSpan = vi.fn(store.getSpan.bind(store));
    const { result, rerender } = renderHook(({ revision }) => useSpan(INVOICE, { ...root, revision }), {
      wrapper: wrapperOf(readerOf(store, { getSpan })),
      initialProps: { revision: 0 },
    });
    await waitFor(() => expect(result.current.data?.name).toBe("invoice-approval"));
    await store.write([{ ...root, revision: 1, name: "renamed" }]);
    rerender({ revision: 1 });
    await waitFor(() => expect(result.current.data?.name).toBe("renamed"));
    expect(getSpan).toHaveBeenCalledTimes(2);
  });
});

function App({ reader, principal }: { reader: TraceReader; principal?: string }): ReactElement {
  return (
    <ObservabilityProvider store={reader} {...(principal !== undefined && { principal })}>
      <Name />
    </ObservabilityProvider>
  );
}

function Name(): ReactElement {
  const { status, data } = useExecution(INVOICE);
  return <p>{[status, data?.workflowName].filter(Boolean).join(" ")}</p>;
}

function wrapperOf(reader: TraceReader): (props: { children: ReactNode }) => ReactElement {
  return ({ children }) => <ObservabilityProvider store={reader}>{children}</ObservabilityProvider>;
}
