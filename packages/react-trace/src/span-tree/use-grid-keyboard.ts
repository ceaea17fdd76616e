import type { SpanSkeleton } from "@spanloom/model";
import { type KeyboardEvent, useRef } from "react";
import type { TraceModel, TraceNode } from "../layout/trace-model.ts";
import { commandForKey, findTyped } from "../layout/treegrid-keys.ts";
import { type KeptSpans, openState, rowOfIndex } from "../layout/visible-rows.ts";

export interface GridKeyboardOptions {
  model: TraceModel;
  rows: Int32Array;
  kept: KeptSpans | undefined;
  collapsed: ReadonlySet<string>;
  activeRow: number;
  pageRows(): number;
  onActivate(row: number, focus: boolean): void;
  onToggle(keys: readonly string[], open: boolean): void;
  onSelect(span: SpanSkeleton): void;
}

/** Letters that come within this time are one text, in milliseconds. */
const TYPING_MS = 700;

/** Turns keys on a row into what the grid does. */
export function useGridKeyboard(options: GridKeyboardOptions): (event: KeyboardEvent) => void {
  const typed = useRef({ text: "", at: 0 });
  return (event) => {
    const { model, rows, kept, collapsed, activeRow } = options;
    if (!(event.target instanceof HTMLElement) || event.target.dataset.row === undefined) return;
    const index = rows[activeRow];
    if (index === undefined) return;
    const node = model.nodes[index] as TraceNode;
    const parent = model.parents[index] as number;
    const command = commandForKey(event, {
      row: activeRow,
      rowCount: rows.length,
      pageRows: options.pageRows(),
      open: openState(model, index, collapsed, kept),
      parentRow: parent < 0 ? -1 : rowOfIndex(rows, parent),
      rightToLeft: getComputedStyle(event.target).direction === "rtl",
    });
    if (command === undefined) return;
    event.preventDefault();
    switch (command.type) {
      case "focus":
        return options.onActivate(command.row, true);
      case "open":
        return options.onToggle([node.key], true);
      case "close":
        return options.onToggle([node.key], false);
      case "select":
        return options.onSelect(node.span);
      case "open-siblings":
        return options.onToggle(
          siblingsOf(model, node).map((sibling) => sibling.key),
          true,
        );
      case "type-ahead": {
        const fresh = event.timeStamp - typed.current.at > TYPING_MS;
        const text = fresh ? command.character : typed.current.text + command.character;
        typed.current = { text, at: event.timeStamp };
        const found = findTyped(text, activeRow, rows.length, (row) => nameAt(model, rows, row));
        if (found >= 0) options.onActivate(found, true);
      }
    }
  };
}

function siblingsOf(model: TraceModel, node: TraceNode): readonly TraceNode[] {
  return node.parent?.children ?? model.nodes.filter((other) => other.depth === 0);
}

function nameAt(model: TraceModel, rows: Int32Array, row: number): string {
  return model.nodes[rows[row] as number]?.span.name ?? "";
}
