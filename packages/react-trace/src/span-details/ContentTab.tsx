import type { Artifact, Content, Message, MessagePart, SpanRecord, SpanSkeleton } from "@spanloom/model";
import { EmptyState } from "@spanloom/react-core";
import type { ReactElement, ReactNode } from "react";
import { ArtifactLink } from "../trace-summary/ArtifactLink.tsx";
import { type TraceTranslate, useTraceMessages } from "../use-trace-messages.ts";
import { CaptureNote } from "./CaptureNote.tsx";
import { CopyButton } from "./CopyButton.tsx";
import { JsonText } from "./JsonText.tsx";
import { LongText } from "./LongText.tsx";
import { contentText } from "./pretty-json.ts";

const PLACES = ["input", "output", "stateBefore", "stateAfter"] as const;

export function hasMessages(span: SpanRecord): boolean {
  return PLACES.some((place) => span[place]?.format === "messages");
}

/** What went in and came out: chat messages, text, JSON, state and artifacts, each with how it was captured. */
export function ContentTab({
  span,
  artifactHref,
}: {
  span: SpanRecord;
  artifactHref: ((artifact: Artifact, span: SpanSkeleton) => string | undefined) | undefined;
}): ReactElement {
  const t = useTraceMessages();
  const present = PLACES.flatMap((place) => {
    const content = span[place];
    return content === undefined ? [] : [{ place, content }];
  });
  const artifacts = span.artifacts ?? [];
  if (present.length === 0 && artifacts.length === 0) {
    return <EmptyState title={t("trace.noContent")} hint={t("trace.noContentHint")} />;
  }
  return (
    <>
      {present.map(({ place, content }) => (
        <ContentSection key={place} title={t(`trace.${place}`)} content={content} />
      ))}
      {artifacts.length === 0 ? null : (
        <section className="sl-trace-section">
          <h4>{t("trace.artifacts")}</h4>
          <ul className="sl-trace-artifacts">
            {artifacts.map((artifact) => (
              <li key={artifact.artifactId}>
                <ArtifactLink artifact={artifact} href={artifactHref?.(artifact, span)} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function ContentSection({ title, content }: { title: string; content: Content }): ReactElement {
  const text = contentText(content);
  return (
    <section className="sl-trace-section">
      <div className="sl-trace-section-head">
        <h4>{title}</h4>
        <CaptureNote content={content} />
        {text === undefined ? null : <CopyButton label={title} text={text} />}
      </div>
      <ContentBody content={content} />
    </section>
  );
}

function ContentBody({ content }: { content: Content }): ReactElement | null {
  switch (content.format) {
    case "messages":
      return (
        <ol className="sl-trace-messages">
          {(content.messages ?? []).map((message, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: messages have no identity but their place
            <MessageItem key={at} message={message} />
          ))}
        </ol>
      );
    case "json":
      if (content.json !== undefined) return <JsonText value={content.json} />;
      return content.text === undefined ? null : <LongText text={content.text} mono />;
    case "text":
      return content.text === undefined ? null : <LongText text={content.text} />;
  }
}

function MessageItem({ message }: { message: Message }): ReactElement {
  const t = useTraceMessages();
  return (
    <li className={`sl-trace-message sl-trace-role-${roleClass(message.role)}`}>
      <div className="sl-trace-role">
        <bdi>{roleName(message.role, t)}</bdi>
        {message.name === undefined ? null : <bdi className="sl-trace-dim"> {message.name}</bdi>}
      </div>
      <div className="sl-trace-parts">
        {message.parts.map((part, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place
          <PartView key={at} part={part} />
        ))}
        {message.finishReason === undefined ? null : (
          <p className="sl-trace-dim">
            {t("trace.finish")}: <bdi>{message.finishReason}</bdi>
          </p>
        )}
      </div>
    </li>
  );
}

function PartView({ part }: { part: MessagePart }): ReactElement {
  const t = useTraceMessages();
  switch (part.type) {
    case "text":
      return <LongText text={part.content} />;
    case "reasoning":
      return (
        <Labelled label={t("trace.reasoning")}>
          <LongText text={part.content} />
        </Labelled>
      );
    case "tool_call":
      return (
        <Labelled label={t("trace.toolCall", { name: part.name })} id={part.id}>
          {part.arguments === undefined ? null : <JsonText value={part.arguments} />}
        </Labelled>
      );
    case "tool_call_response":
      return (
        <Labelled label={t("trace.toolResult")} id={part.id}>
          {part.response === undefined ? null : <JsonText value={part.response} />}
        </Labelled>
      );
    case "media":
      return (
        <Labelled label={[t("trace.media"), part.modality, part.mimeType].filter(Boolean).join(" · ")}>
          {part.uri === undefined ? null : <LongText text={part.uri} mono />}
        </Labelled>
      );
    case "other":
      return (
        <Labelled label={t("trace.otherPart")}>
          <JsonText value={part.value} />
        </Labelled>
      );
  }
}

function Labelled(props: { label: string; id?: string | undefined; children: ReactNode }): ReactElement {
  return (
    <div className="sl-trace-part">
      <p className="sl-trace-part-label">
        <bdi>{props.label}</bdi>
        {props.id === undefined ? null : <code className="sl-trace-dim"> {props.id}</code>}
      </p>
      {props.children}
    </div>
  );
}

const ROLES = ["system", "user", "assistant", "tool"] as const;

function roleClass(role: string): string {
  return ROLES.find((known) => known === role) ?? "other";
}

function roleName(role: string, t: TraceTranslate): string {
  const known = ROLES.find((name) => name === role);
  return known === undefined ? role : t(`trace.role.${known}`);
}
