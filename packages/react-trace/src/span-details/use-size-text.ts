import { useObservability } from "@spanloom/react-core";
import { useMemo } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";

/** Writes sizes as `840 B`, `4.1 KB`, `2.3 MB`. In a text one UTF-16 code unit counts as a byte: near enough to say how long it is. */
export function useSizeText(): (size: number) => string {
  const t = useTraceMessages();
  const { locale } = useObservability();
  return useMemo(() => {
    const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    return (size) => {
      if (size < 1_000) return t("trace.bytes", { value: number.format(size) });
      if (size < 999_950) return t("trace.kilobytes", { value: number.format(size / 1e3) });
      return t("trace.megabytes", { value: number.format(size / 1e6) });
    };
  }, [t, locale]);
}
