import type { ChildProcess } from "node:child_process";
import { type JsonValue, SpanloomError, type SpanRecord, type WriteReceipt } from "@spanloom/model";
import type { TestedProcesses } from "./harness.ts";
import type { CallMessage, ReplyMessage } from "./store-process-child.ts";

/** A store that is open in a child process of its own. */
export class StoreProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly waiting = new Map<number, (reply: ReplyMessage) => void>();
  private last = 0;
  private complaints = "";

  private constructor(child: ChildProcess) {
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once("exit", () => {
        for (const [id, settle] of this.waiting)
          settle({ id, error: `the process ended. ${this.complaints}` });
        this.waiting.clear();
        resolve();
      });
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.complaints = (this.complaints + chunk.toString()).slice(-4_000);
    });
    child.on("message", (reply: ReplyMessage) => {
      this.waiting.get(reply.id)?.(reply);
      this.waiting.delete(reply.id);
    });
  }

  /** Resolves when the store is open there. */
  static async start({ module }: TestedProcesses, config: JsonValue): Promise<StoreProcess> {
    const { fork } = await import("node:child_process");
    const { fileURLToPath } = await import("node:url");
    const child = fork(fileURLToPath(new URL("./store-process-child.ts", import.meta.url)), {
      execArgv: inheritedFlags(process.execArgv),
      env: Object.fromEntries(Object.entries(process.env).filter(([key]) => key !== "NODE_TEST_CONTEXT")),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const started = new StoreProcess(child);
    await started.call("", "open", [module, config]);
    return started;
  }

  async write(scope: string, records: readonly SpanRecord[]): Promise<WriteReceipt> {
    return (await this.call(scope, "write", [records])) as WriteReceipt;
  }

  /** Calls a method of the scope's handle there; arguments and result go as JSON. */
  call(scope: string, method: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.last;
    const message: CallMessage = { id, scope, method, args };
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (reply) => {
        if (reply.error === undefined) resolve(reply.result);
        else
          reject(new SpanloomError("store_failed", { what: `${method} in another process: ${reply.error}` }));
      });
      // A process that is gone answers by its exit.
      this.child.send(message, (error) => {
        if (error !== null) this.waiting.get(id)?.({ id, error: error.message });
      });
    });
  }

  /** `kill -9`: whatever it is doing. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Closes the store there and ends the process. */
  async close(): Promise<void> {
    try {
      await this.call("", "close", []);
    } finally {
      await this.kill();
    }
  }
}

/** What a child needs of this process's flags: conditions and loaders, not what a runner was told. */
function inheritedFlags(flags: readonly string[]): string[] {
  const isOwn = (flag: string): boolean =>
    /^(--(test|inspect|watch|input-type|eval|print)|-[ep]$)/.test(flag);
  return flags.filter((flag, index) => {
    const before = flags[index - 1];
    const isValue = !flag.startsWith("-") && before !== undefined && !before.includes("=");
    return !isOwn(flag) && !(isValue && isOwn(before));
  });
}
