import { Content, type TabsContentProps, type TabsTriggerProps, Trigger } from "@radix-ui/react-tabs";
import type { ReactElement } from "react";
import { TraceTab, type TraceTabProps } from "./trace-tab/TraceTab.tsx";
import { useTraceMessages } from "./use-trace-messages.ts";

/** The value that trigger and content share where none is given. */
const TRACE_VALUE = "trace";

export type TraceTabTriggerProps = Omit<TabsTriggerProps, "value"> & { value?: string };

/** A trigger for a `Tabs.List` of `@radix-ui/react-tabs`, to stand after the Execution tab. Its text comes from the catalogue. */
export function TraceTabTrigger({
  value = TRACE_VALUE,
  children,
  ...props
}: TraceTabTriggerProps): ReactElement {
  const t = useTraceMessages();
  return (
    <Trigger value={value} {...props}>
      {children ?? t("trace.tab")}
    </Trigger>
  );
}

export type TraceTabContentProps = TraceTabProps &
  Omit<TabsContentProps, "value" | "children"> & { value?: string };

/** The panel inside a `Tabs.Content`. Give the content a height: the panel fills it. */
export function TraceTabContent(props: TraceTabContentProps): ReactElement {
  const {
    value = TRACE_VALUE,
    executionId,
    selectedSpanId,
    defaultSelectedSpanId,
    onSelectedSpanChange,
    artifactHref,
    ...content
  } = props;
  return (
    <Content value={value} {...content}>
      <TraceTab
        executionId={executionId}
        {...(selectedSpanId !== undefined && { selectedSpanId })}
        {...(defaultSelectedSpanId !== undefined && { defaultSelectedSpanId })}
        {...(onSelectedSpanChange !== undefined && { onSelectedSpanChange })}
        {...(artifactHref !== undefined && { artifactHref })}
      />
    </Content>
  );
}
