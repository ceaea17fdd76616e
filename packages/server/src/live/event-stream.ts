/**
 * An event stream's body from a generator of text. Nothing is made before it is asked for; the generator ends when the
 * reader goes away or the request is aborted. A failure closes the stream without an `end` event, so that the reader
 * comes back, and its text stays here.
 */
export function eventStreamBody(
  requestSignal: AbortSignal,
  events: (signal: AbortSignal) => AsyncGenerator<string, void, undefined>,
  report: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, requestSignal]);
  const source = events(signal);
  const encoder = new TextEncoder();
  // Also when nobody reads any more: the generator may rest at an event that will never be taken.
  signal.addEventListener("abort", () => void source.return().catch(report), { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next();
          if (done === true) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          if (!signal.aborted) report(error);
          controller.close();
        }
      },
      cancel: () => gone.abort(),
    },
    { highWaterMark: 0 },
  );
}
