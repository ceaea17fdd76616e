import type { Context, ContextManager } from "@opentelemetry/api";
import { activeContext, type Callable, callWithin, carryContext } from "../active-place.ts";

/** Carries OpenTelemetry's context across `await`s, together with the place of our own spans. */
export class AsyncContextManager implements ContextManager {
  active(): Context {
    return activeContext();
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    within: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return callWithin(within, fn, thisArg, args) as ReturnType<F>;
  }

  /** Functions keep `within`. An emitter stays as it is: Node runs its listeners in the context that it was made in. */
  bind<T>(within: Context, target: T): T {
    if (typeof target !== "function") return target;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return callWithin(within, target as unknown as Callable, this, args);
    };
    Object.defineProperty(bound, "length", { configurable: true, value: target.length });
    return bound as T;
  }

  enable(): this {
    carryContext(true);
    return this;
  }

  disable(): this {
    carryContext(false);
    return this;
  }
}
