import { useMemo } from "react";
import { useObservability } from "../context.ts";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";
import { createFormat, type Format } from "./format.ts";

/** Formats in the provider's locale and time zone. */
export function useFormat(): Format {
  const { locale, timeZone } = useObservability();
  const t = useMessages(coreMessages);
  return useMemo(() => createFormat(t, locale, timeZone), [t, locale, timeZone]);
}
