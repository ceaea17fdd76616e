import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import type { SpanHandle } from "../span-handle.ts";
import { type CacheCommand, type CacheRead, readCommand } from "./read-command.ts";

/** A queued command, with the way by which its reply comes. */
interface Command extends CacheCommand {
  resolve(reply: unknown): unknown;
}

/** The reads and other commands of a transaction, in the order in which EXEC will answer them. */
type Transaction = ({ read: CacheRead; span: SpanHandle } | undefined)[];

/** Follows the commands of one connection, in the order in which they are sent. */
export class CommandWatch {
  readonly #keyspaceOf: (key: string) => string | undefined;
  readonly #tracer: WorkflowTracer;
  /** Where commands of a pipeline were called: they are sent later, perhaps from elsewhere. */
  readonly #callers = new WeakMap<object, SpanHandle>();
  /** The `resolve` that we gave a command: it is sent again after a lost connection. */
  readonly #watched = new WeakMap<object, unknown>();
  #transaction: Transaction | undefined;

  constructor(keyspaceOf: (key: string) => string | undefined, tracer: WorkflowTracer) {
    this.#keyspaceOf = keyspaceOf;
    this.#tracer = tracer;
  }

  /** A command is put into a pipeline. */
  queued(command: unknown): void {
    const span = this.#tracer.activeSpan();
    if (span !== undefined && isCommand(command)) this.#callers.set(command, span);
  }

  sent(command: unknown): void {
    this.#tracer.guard("cache", () => {
      if (isCommand(command) && this.#watched.get(command) !== command.resolve) this.#watch(command);
    });
  }

  #watch(command: Command): void {
    const name = command.name.toLowerCase();
    const transaction = this.#transaction;
    if (name === "multi") this.#transaction = [];
    else if (name === "exec" || name === "discard") this.#transaction = undefined;
    if (name === "exec" && transaction !== undefined) {
      this.#onReply(command, (reply) => countAll(transaction, reply));
    } else if (transaction !== undefined && name !== "discard") {
      this.#inTransaction(command, transaction);
    } else {
      const asked = this.#ask(command);
      if (asked !== undefined) this.#onReply(command, (reply) => count(asked, reply));
    }
  }

  #inTransaction(command: Command, transaction: Transaction): void {
    const asked = this.#ask(command);
    transaction.push(asked);
    this.#onReply(command, (reply) => {
      if (isQueued(reply)) return;
      // The server answered at once: there is no transaction, such as after a lost connection.
      if (this.#transaction === transaction) this.#transaction = undefined;
      if (asked !== undefined) count(asked, reply);
    });
  }

  #ask(command: Command): Transaction[number] {
    const span = this.#callers.get(command) ?? this.#tracer.activeSpan();
    const read = span === undefined ? undefined : readCommand(command, this.#keyspaceOf);
    return span === undefined || read === undefined ? undefined : { read, span };
  }

  /** Listens in front of the command's promise: a handler on that would hide from the host that nobody handled it. */
  #onReply(command: Command, listen: (reply: unknown) => void): void {
    const { resolve } = command;
    const watched = (reply: unknown): unknown => {
      this.#tracer.guard("cache", () => listen(reply));
      return resolve.call(command, reply);
    };
    command.resolve = watched;
    this.#watched.set(command, watched);
  }
}

/** The replies of a transaction; none where EXEC was refused because a watched key had changed. */
function countAll(transaction: Transaction, replies: unknown): void {
  if (!Array.isArray(replies)) return;
  for (const [index, asked] of transaction.entries()) if (asked !== undefined) count(asked, replies[index]);
}

function count({ read, span }: NonNullable<Transaction[number]>, reply: unknown): void {
  if (reply instanceof Error) return;
  const found = read.found(reply);
  if (found === undefined) return;
  const sums = new Map<string, { hits: number; misses: number }>();
  for (const [index, keyspace] of read.keyspaces.entries()) {
    if (keyspace === undefined) continue;
    const sum = sums.get(keyspace) ?? { hits: 0, misses: 0 };
    if (found[index]) sum.hits++;
    else sum.misses++;
    sums.set(keyspace, sum);
  }
  for (const [keyspace, sum] of sums) span.cache({ keyspace, ...sum });
}

function isQueued(reply: unknown): boolean {
  return Buffer.isBuffer(reply) ? reply.toString("latin1") === "QUEUED" : reply === "QUEUED";
}

function isCommand(value: unknown): value is Command {
  if (typeof value !== "object" || value === null) return false;
  return "name" in value && typeof value.name === "string" && "args" in value && "resolve" in value;
}
