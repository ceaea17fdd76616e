import type { ReactElement, RefObject } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";

/**
 * The border between tree and timeline. It lies over the grid, because rows run through both: it only tells them
 * where the timeline begins, by a variable that rows, hairlines and the details over them lay themselves out by.
 */
export function ColumnResizer({
  gridRef,
  label,
}: {
  gridRef: RefObject<HTMLElement | null>;
  label: string;
}): ReactElement {
  return (
    <Group orientation="horizontal" disableCursor className="sl-trace-resizer" style={throughStyle}>
      <Panel
        defaultSize="60"
        minSize="30"
        maxSize="85"
        onResize={({ asPercentage }) => {
          const panes = gridRef.current?.closest<HTMLElement>(".sl-trace-panes");
          panes?.style.setProperty("--sl-tree-size", `${asPercentage}%`);
        }}
      />
      <Separator className="sl-trace-separator sl-trace-column-separator" aria-label={label} />
      <Panel />
    </Group>
  );
}

const throughStyle = { overflow: "visible", width: "auto", height: "auto" } as const;
