import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";

/** US dollars for one unit, at the end of October 2026. */
const rates: Record<string, number> = { EUR: 1.0842, GBP: 1.2717, CHF: 1.1364 };

/** The service answers from cold only at its second request. */
export class ServiceNotReadyError extends Error {
  override readonly name = "ServiceNotReadyError";
}

/** A rate service that has to warm up: the first request of a run is turned away, as a sleeping service would do. */
export function createExchangeRate(): StructuredToolInterface {
  let requests = 0;
  return tool(
    ({ currency }: { currency: string }) => {
      requests += 1;
      if (requests === 1)
        throw new ServiceNotReadyError("The rate service answered 503: it is still loading its rates.");
      const rate = rates[currency];
      if (rate === undefined) throw new Error(`The rate service knows no currency ${currency}.`);
      return JSON.stringify({ currency, usd: rate });
    },
    {
      name: "exchange_rate",
      description: "The rate of a currency in US dollars.",
      schema: z.object({ currency: z.string() }),
    },
  );
}
