import type { ReactElement } from "react";
import { useFormat } from "../format/use-format.ts";
import { useNow } from "../hooks/use-now.ts";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

export interface LastSyncedBadgeProps {
  /** When the shown answer came, in milliseconds since the epoch. */
  at: number | undefined;
  live?: "live" | "reconnecting" | "ended";
}

/** How fresh the figures are. Its age counts on by itself. */
export function LastSyncedBadge({ at, live = "ended" }: LastSyncedBadgeProps): ReactElement {
  const t = useMessages(coreMessages);
  const format = useFormat();
  const now = useNow(5_000, at !== undefined);
  return (
    <span className={`sl-synced sl-synced-${live}`}>
      {live === "ended" ? null : <span className="sl-synced-state">{t(`sync.${live}`)}</span>}
      {live === "live" ? null : <span>{age()}</span>}
    </span>
  );

  function age(): string {
    if (at === undefined) return t("sync.never");
    if (now - at < JUST_NOW_MS) return t("sync.justNow");
    return t("sync.at", { when: format.relative(at, now) });
  }
}

/** Younger than the badge's own step, an age would only flicker. */
const JUST_NOW_MS = 5_000;
