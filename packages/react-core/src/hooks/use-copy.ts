import { useCallback, useEffect, useRef, useState } from "react";

export type CopyState = "idle" | "copied" | "failed";

/** Copies text to the clipboard; the outcome stands for two seconds, then it is idle again. */
export function useCopy(): { state: CopyState; copy(text: string): void } {
  const [state, setState] = useState<CopyState>("idle");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = useCallback((text: string) => {
    const show = (outcome: CopyState): void => {
      setState(outcome);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setState("idle"), 2_000);
    };
    // Without a secure context there is no clipboard; that is a failure to show, not one to throw.
    Promise.resolve(navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"))).then(
      () => show("copied"),
      () => show("failed"),
    );
  }, []);
  return { state, copy };
}
