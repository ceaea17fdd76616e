import { type ReactElement, useState } from "react";
import { useTraceMessages } from "../use-trace-messages.ts";
import { useSizeText } from "./use-size-text.ts";

/** Beyond these a text is shown from its beginning. */
const FIRST_CHARACTERS = 2_000;
const FIRST_LINES = 24;
/** What one press adds: more at once would stop the page while it is laid out. */
const STEP_CHARACTERS = 250_000;

/** Text as it came. A long one opens on demand, a very long one in steps. */
export function LongText({ text, mono }: { text: string; mono?: boolean }): ReactElement {
  const t = useTraceMessages();
  const sizeText = useSizeText();
  const [limit, setLimit] = useState(0);
  const first = beginning(text);
  const shown = limit === 0 ? first : Math.min(limit, text.length);
  if (text === "") return <p className="sl-trace-dim">{t("trace.emptyText")}</p>;
  return (
    <div className="sl-trace-long">
      <pre className={mono ? "sl-trace-pre sl-trace-mono" : "sl-trace-pre"} dir={mono ? "ltr" : "auto"}>
        {text.slice(0, shown)}
        {shown < text.length ? "…" : null}
      </pre>
      {shown < text.length ? (
        <button
          type="button"
          className="sl-button sl-trace-more"
          aria-expanded={limit > 0}
          onClick={() => setLimit(shown + STEP_CHARACTERS)}
        >
          {text.length - shown <= STEP_CHARACTERS
            ? t("trace.showAll", { size: sizeText(text.length) })
            : t("trace.showMore", { size: sizeText(text.length - shown) })}
        </button>
      ) : limit > 0 ? (
        <button
          type="button"
          className="sl-button sl-trace-more"
          aria-expanded={true}
          onClick={() => setLimit(0)}
        >
          {t("trace.showLess")}
        </button>
      ) : null}
    </div>
  );
}

/** How many characters stand there at first. A little more than the limit is not worth a button. */
function beginning(text: string): number {
  let end = 0;
  for (let lines = 0; lines < FIRST_LINES; lines++) {
    const next = text.indexOf("\n", end);
    if (next < 0 || next > FIRST_CHARACTERS) {
      end = Math.min(text.length, FIRST_CHARACTERS);
      break;
    }
    end = next + 1;
  }
  return text.length - end < 300 && end >= FIRST_CHARACTERS ? text.length : end;
}
