/**
 * A port as browsers, worker threads and Electron have it: a MessagePort of either, a worker, or Electron's
 * MessagePortMain. Typed by what is used, so that no platform's types are needed.
 */
export type PortLike = EventTargetPort | EmitterPort;

export interface EventTargetPort extends PortBase {
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  removeEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
}

export interface EmitterPort extends PortBase {
  on(type: string, listener: (message: unknown) => void): unknown;
  off(type: string, listener: (message: unknown) => void): unknown;
}

interface PortBase {
  postMessage(message: unknown): void;
  start?(): void;
  ref?(): void;
  unref?(): void;
}

/** Our messages over a port, whatever else goes over it. */
export interface Channel {
  /** Throws `DataCloneError` for what cannot be copied. */
  post(message: object): void;
  /** While held, the port keeps a Node.js process alive; else it does not. */
  hold(held: boolean): void;
  /** Listens no more; the port itself is the host's. */
  leave(): void;
}

/** Marks our messages; its value is the version of the protocol. */
const MARK = "spanloom";
const VERSION = 1;

/** `onGone` is called once when the platform says that the other side is gone; not every platform does. */
export function openChannel(
  port: PortLike,
  onMessage: (message: Readonly<Record<string, unknown>>) => void,
  onGone: () => void,
): Channel {
  const heard = (event: unknown): void => {
    const message = oursIn(event);
    if (message !== undefined) onMessage(message);
  };
  let gone = false;
  const ended = (): void => {
    if (!gone) onGone();
    gone = true;
  };
  const events: [string, (event: unknown) => void][] = [
    ["message", heard],
    ["close", ended],
    ["exit", ended],
  ];
  for (const [type, listener] of events) {
    if ("addEventListener" in port) port.addEventListener(type, listener);
    else port.on(type, listener);
  }
  port.start?.();
  port.unref?.();
  return {
    post: (message) => port.postMessage({ ...message, [MARK]: VERSION }),
    hold: (held) => (held ? port.ref?.() : port.unref?.()),
    leave() {
      gone = true;
      for (const [type, listener] of events) {
        if ("addEventListener" in port) port.removeEventListener(type, listener);
        else port.off(type, listener);
      }
    },
  };
}

/** The message itself (worker threads), or the one that an event carries (browsers, Electron). */
function oursIn(event: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isObject(event)) return undefined;
  if (event[MARK] === VERSION) return event;
  const { data } = event;
  return isObject(data) && data[MARK] === VERSION ? data : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
