import { type Attributes, type AttributeValue, NOT_PERMITTED, plainAttribute } from "@spanloom/model";
import type { ReactElement } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { LongText } from "./LongText.tsx";
import { prettyJson } from "./pretty-json.ts";
import { Withheld } from "./Withheld.tsx";

/** Attributes by key, in the order of their keys. */
export function ValueTable({ attributes, label }: { attributes: Attributes; label: string }): ReactElement {
  const t = useTraceMessages();
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <table className="sl-trace-table" aria-label={label}>
      <thead className="sl-visually-hidden">
        <tr>
          <th scope="col">{t("trace.key")}</th>
          <th scope="col">{t("trace.value")}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(([key, value]) => (
          <tr key={key}>
            <th scope="row">
              <bdi>{key === "" ? t("trace.emptyText") : key}</bdi>
            </th>
            <td>
              <AttributeText value={value} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AttributeText({ value }: { value: AttributeValue }): ReactElement {
  if (value === NOT_PERMITTED) return <Withheld />;
  const text = prettyJson(plainAttribute(value));
  if (text.length <= 120 && !text.includes("\n")) {
    return <bdi className={typeof value === "string" ? undefined : "sl-trace-mono"}>{text}</bdi>;
  }
  return <LongText text={text} mono={typeof value !== "string"} />;
}
