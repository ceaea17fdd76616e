/** What a key asks of the treegrid. Rows are positions among the visible rows. */
export type GridCommand =
  | { type: "focus"; row: number }
  | { type: "open"; row: number }
  | { type: "close"; row: number }
  | { type: "open-siblings"; row: number }
  | { type: "select"; row: number }
  | { type: "type-ahead"; character: string };

export interface GridKey {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

export interface GridPlace {
  row: number;
  rowCount: number;
  /** Rows that fit on the screen. */
  pageRows: number;
  /** `undefined` on a leaf. */
  open: boolean | undefined;
  /** -1 at a root. */
  parentRow: number;
  rightToLeft: boolean;
}

/**
 * The WAI-ARIA treegrid pattern with focus on rows (APG, "Treegrid", keyboard interaction). `undefined` leaves the key
 * to the browser.
 */
export function commandForKey(pressed: GridKey, place: GridPlace): GridCommand | undefined {
  const { row, rowCount, pageRows, open, parentRow } = place;
  if (rowCount === 0 || pressed.altKey || pressed.metaKey) return undefined;
  const focus = (to: number): GridCommand => ({
    type: "focus",
    row: Math.min(Math.max(to, 0), rowCount - 1),
  });
  if (pressed.ctrlKey) {
    if (pressed.key === "Home") return focus(0);
    return pressed.key === "End" ? focus(rowCount - 1) : undefined;
  }
  switch (place.rightToLeft ? mirrored(pressed.key) : pressed.key) {
    case "ArrowDown":
      return focus(row + 1);
    case "ArrowUp":
      return focus(row - 1);
    case "Home":
      return focus(0);
    case "End":
      return focus(rowCount - 1);
    case "PageDown":
      return focus(row + Math.max(pageRows - 1, 1));
    case "PageUp":
      return focus(row - Math.max(pageRows - 1, 1));
    case "ArrowRight":
      if (open === undefined) return undefined;
      return open ? focus(row + 1) : { type: "open", row };
    case "ArrowLeft":
      if (open === true) return { type: "close", row };
      return parentRow >= 0 ? focus(parentRow) : undefined;
    case "Enter":
    case " ":
      return { type: "select", row };
    case "*":
      return { type: "open-siblings", row };
    default:
      return isCharacter(pressed.key) ? { type: "type-ahead", character: pressed.key } : undefined;
  }
}

/**
 * The next row whose name begins with what was typed. A single letter looks past the current row, so that pressing it
 * again goes on; a longer text may stay where it is. -1 when no row does.
 */
export function findTyped(
  typed: string,
  row: number,
  rowCount: number,
  nameOf: (row: number) => string,
): number {
  const repeated = [...typed].every((character) => character === typed[0]);
  const wanted = (repeated ? (typed[0] ?? "") : typed).toLowerCase();
  const first = repeated ? 1 : 0;
  for (let step = first; step < rowCount + first; step++) {
    const at = (row + step) % rowCount;
    if (nameOf(at).toLowerCase().startsWith(wanted)) return at;
  }
  return -1;
}

function mirrored(key: string): string {
  if (key === "ArrowLeft") return "ArrowRight";
  return key === "ArrowRight" ? "ArrowLeft" : key;
}

function isCharacter(key: string): boolean {
  return [...key].length === 1;
}
