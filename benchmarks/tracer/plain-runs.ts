import { attributesOf, type Exchange, NODES } from "./workload.ts";

/** The execution without any tracer. */
export async function plainCallbacks(nextExchange: () => Exchange): Promise<unknown> {
  let last: unknown = attributesOf(0);
  const step = async (attributes: unknown, run: () => Promise<unknown>): Promise<void> => {
    last = [attributes, await run()];
  };
  for (let number = 0; number < NODES; number++) {
    await step(attributesOf(number), async () => {
      const exchange = nextExchange();
      await step(attributesOf(number), async () => (await exchange).answer);
      await step(attributesOf(number), async () => (await exchange).result);
    });
  }
  return last;
}
