import type { Artifact } from "@spanloom/model";
import type { ReactElement } from "react";
import { useSizeText } from "../span-details/use-size-text.ts";
import { useTraceMessages } from "../use-trace-messages.ts";

/** An artifact by name. A download only where the host gives an address, and only of a kind that runs no script. */
export function ArtifactLink({
  artifact,
  href,
}: {
  artifact: Artifact;
  href: string | undefined;
}): ReactElement {
  const t = useTraceMessages();
  const sizeText = useSizeText();
  const size = artifact.sizeBytes === undefined ? undefined : sizeText(artifact.sizeBytes);
  const about = [artifact.mediaType, size].filter(Boolean).join(" · ");
  return (
    <span className="sl-trace-artifact">
      {href !== undefined && isSafe(href) ? (
        <a
          className="sl-link"
          href={href}
          download={artifact.name}
          aria-label={t("trace.download", { name: artifact.name })}
        >
          <bdi>{artifact.name}</bdi>
        </a>
      ) : (
        <bdi>{artifact.name}</bdi>
      )}
      {about === "" ? null : <span className="sl-trace-dim"> {about}</span>}
    </span>
  );
}

function isSafe(href: string): boolean {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(href)?.[1]?.toLowerCase();
  return scheme === undefined || scheme === "http" || scheme === "https" || scheme === "blob";
}
