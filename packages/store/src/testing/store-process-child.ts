import type { JsonValue, ScopedStore, TraceStore } from "@spanloom/model";

/** The program of a child process: holds a store open and does what the kit asks for, one message a call. */

export interface CallMessage {
  id: number;
  scope: string;
  /** `open`, `close`, or a method of the scope's handle. */
  method: string;
  args: readonly unknown[];
}

export interface ReplyMessage {
  id: number;
  result?: unknown;
  error?: string;
}

let store: TraceStore | undefined;

process.on("message", (message: CallMessage) => {
  answer(message).then(
    (result) => reply({ id: message.id, result }),
    (error: unknown) =>
      reply({ id: message.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
// Whoever started this process is gone: so is its reason to be.
process.on("disconnect", () => process.exit(1));

async function answer({ scope, method, args }: CallMessage): Promise<unknown> {
  if (method === "open") {
    const [module, config] = args as [string, JsonValue];
    const { open } = (await import(module)) as { open(config: JsonValue): TraceStore | Promise<TraceStore> };
    store = await open(config);
    return undefined;
  }
  if (store === undefined) throw new Error("No store is open.");
  if (method === "close") return store.close();
  const handle = store.forScope(scope);
  const call: unknown = handle[method as keyof ScopedStore];
  if (typeof call !== "function") throw new Error(`A store has no method ${method}.`);
  return call.apply(handle, args);
}

function reply(message: ReplyMessage): void {
  process.send?.(message);
}
