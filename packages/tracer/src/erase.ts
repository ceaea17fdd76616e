import { type ScopedStore, SpanloomError, type SpanSink } from "@spanloom/model";
import { arrived, deleteExecution, isUnderWay } from "./deliver/delete-execution.ts";
import type { Delivery } from "./deliver/delivery.ts";
import type { LateListeners } from "./late-listeners.ts";

/**
 * Deletes an execution wherever it stands: in what waits in memory and on the disk, from when on nothing of it is taken any
 * more; in the store, whose tombstone meets what comes late from elsewhere, and once more there where some was on its way,
 * for a store leaves no tombstone of what it never had; in the vault. Each is tried, whatever becomes of the others. Gives
 * what the store did.
 */
export async function eraseExecution(
  executionId: string,
  parts: {
    sink: SpanSink;
    deliveries: readonly [toStore: Delivery, toCollector: Delivery | undefined];
    listeners: LateListeners | undefined;
  },
): Promise<boolean> {
  const { sink, deliveries, listeners } = parts;
  const failures: [where: string, error: unknown][] = [];
  const attempt = async (where: string, work: () => Promise<unknown> | undefined): Promise<unknown> => {
    try {
      return await work();
    } catch (error) {
      failures.push([where, error]);
      return undefined;
    }
  };
  await attempt("what waits", async () => {
    const done = await Promise.allSettled(
      deliveries.map((each) => each && deleteExecution(each, executionId)),
    );
    for (const one of done) if (one.status === "rejected") throw one.reason;
  });
  const [toStore] = deliveries;
  const onItsWay = isUnderWay(toStore, executionId);
  const found = await attempt("the store", () => deleterOf(sink).deleteExecution(executionId));
  const again =
    onItsWay &&
    (await attempt("the store", async () => {
      await arrived(toStore, executionId);
      return deleterOf(sink).deleteExecution(executionId);
    }));
  await attempt("the vault", () => listeners?.deleteExecution(executionId));
  const [first] = failures;
  if (first === undefined) return found === true || again === true;
  throw new SpanloomError("store_failed", {
    what: `The execution could not be deleted everywhere: ${[...new Set(failures.map(([where]) => where))].join(" and ")} failed.`,
    fix: "Mend what `cause` says and delete it again; what is gone stays gone.",
    cause: first[1],
  });
}

function deleterOf(sink: SpanSink): Pick<ScopedStore, "deleteExecution"> {
  if ("deleteExecution" in sink && typeof sink.deleteExecution === "function")
    return sink as SpanSink & Pick<ScopedStore, "deleteExecution">;
  throw new SpanloomError("not_supported", {
    what: "The tracer's store is a sink that cannot delete.",
    fix: "Delete the execution where the sink writes to.",
  });
}
