import { type Observability, useObservability } from "../context.ts";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";
import { createFormat, type Format } from "./format.ts";

/** Formats in the provider's locale and time zone. */
export function useFormat(): Format {
  const context = useObservability();
  const t = useMessages(coreMessages);
  const known = formats.get(context);
  if (known !== undefined) return known;
  const format = createFormat(t, context.locale, context.timeZone);
  formats.set(context, format);
  return format;
}

/** One for each provider, not for each row of a table: making the formats of Intl is slow. */
const formats = new WeakMap<Observability, Format>();
