// The workload itself: the same functions, promises and attributes, and no tracer. Part of every other figure.

import { plainCallbacks } from "./plain-runs.ts";
import { asked, serve } from "./serve.ts";
import { createExchanges, SPANS } from "./workload.ts";

const nextExchange = createExchanges(asked.payload);
let delivered = 0;
serve({
  run: async () => {
    await plainCallbacks(nextExchange);
    delivered += SPANS;
  },
  flush: () => Promise.resolve(),
  delivered: () => delivered,
});
