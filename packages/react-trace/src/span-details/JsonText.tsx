import type { JsonValue } from "@spanloom/model";
import { type ReactElement, useMemo } from "react";
import { LongText } from "./LongText.tsx";
import { prettyJson } from "./pretty-json.ts";

export function JsonText({ value }: { value: JsonValue }): ReactElement {
  const text = useMemo(() => prettyJson(value), [value]);
  return <LongText text={text} mono />;
}
