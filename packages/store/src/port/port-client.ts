import { SpanloomError } from "@spanloom/model";
import { type Channel, openChannel, type PortLike } from "./channel.ts";
import { type Answered, type Asked, decodeError, type PortError, type PortMethod } from "./messages.ts";

/** Calls to the side that serves a port. */
export interface PortClient {
  /** The answer. Throws `DataCloneError` where an argument cannot be copied. */
  call<T>(method: PortMethod, args: unknown[], timeoutMs?: number): Promise<T>;
  /** What the other side sends, part by part, until its end, an error, or the returned function is called. */
  stream(method: PortMethod, args: unknown[], on: StreamListener): () => void;
  close(): void;
}

export interface StreamListener {
  /** `taken` asks for the next part. */
  part(value: unknown, taken: () => void): void;
  end(error?: SpanloomError): void;
}

interface Waiting {
  settle(message: Readonly<Record<string, unknown>>): void;
  fail(error: SpanloomError): void;
  /** Streams may wait for ever: they keep no process alive. */
  holds: boolean;
}

export function createPortClient(port: PortLike): PortClient {
  // Tells the clients of one port apart; nothing rests on its being secret.
  const session = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let over: (() => SpanloomError) | undefined;
  const channel: Channel = openChannel(port, heard, () => end(lost));

  function heard(message: Readonly<Record<string, unknown>>): void {
    if (message.kind === "bye" && message.session === undefined) end(stopped);
    if (message.session !== session || typeof message.id !== "number") return;
    waiting.get(message.id)?.settle(message);
  }

  function send(message: Asked): void {
    channel.post(message);
  }

  function open(method: PortMethod, args: unknown[], makeWaiting: (id: number) => Waiting): number {
    if (over !== undefined) throw over();
    const id = nextId++;
    send({ kind: "call", session, id, method, args });
    waiting.set(id, makeWaiting(id));
    hold();
    return id;
  }

  function leave(id: number, message: "taken" | "stop"): void {
    if (!waiting.delete(id)) return;
    send({ kind: message, session, id });
    hold();
  }

  function hold(): void {
    channel.hold([...waiting.values()].some(({ holds }) => holds));
  }

  function end(why: () => SpanloomError): void {
    if (over !== undefined) return;
    over = why;
    const left = [...waiting.values()];
    waiting.clear();
    hold();
    channel.leave();
    for (const { fail } of left) fail(why());
  }

  return {
    call: (method, args, timeoutMs) =>
      new Promise((resolve, reject) => {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const id = open(method, args, () => ({
          holds: true,
          settle(message) {
            clearTimeout(timer);
            leave(id, "taken");
            const { kind, value, error } = message as unknown as Extract<Answered, { kind: "answer" }> & {
              error: PortError;
            };
            if (kind === "answer") resolve(value as never);
            else reject(decodeError(error));
          },
          fail(error) {
            clearTimeout(timer);
            reject(error);
          },
        }));
        if (timeoutMs === undefined) return;
        timer = setTimeout(() => {
          leave(id, "stop");
          reject(silent(timeoutMs));
        }, timeoutMs);
      }),
    stream(method, args, on) {
      const id = open(method, args, () => ({
        holds: false,
        settle({ kind, value, error }) {
          if (kind === "part") {
            on.part(value, () => {
              if (waiting.has(id)) send({ kind: "taken", session, id });
            });
            return;
          }
          leave(id, "taken");
          on.end(kind === "failure" ? decodeError(error as PortError) : undefined);
        },
        fail: (error) => on.end(error),
      }));
      return () => leave(id, "stop");
    },
    close() {
      if (over === undefined) send({ kind: "bye", session });
      end(closed);
    },
  };
}

function closed(): SpanloomError {
  return new SpanloomError("store_closed", {
    what: "The port store is closed.",
    why: "close() was called before this call was answered.",
    fix: "Close it only after its last use, or make a new one.",
  });
}

function stopped(): SpanloomError {
  return new SpanloomError("network_failed", {
    what: "The port is not served any more.",
    why: "The side that served it has stopped.",
    fix: "Serve a port again and make a new store over it.",
  });
}

function lost(): SpanloomError {
  return new SpanloomError("network_failed", {
    what: "The port is closed.",
    why: "One of its sides closed it, or ended.",
    fix: "Open a new channel and make a new store over it.",
  });
}

function silent(timeoutMs: number): SpanloomError {
  return new SpanloomError("timed_out", {
    what: "The port was not answered in time.",
    why: `It took longer than ${timeoutMs} ms: perhaps nobody serves its other side.`,
    fix: "Check that servePort was called with the other port, or raise timeoutMs.",
  });
}
