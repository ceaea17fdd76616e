import { useState } from "react";

/** A choice that the browser remembers. What it holds otherwise, or nothing at all, counts as the first. */
export function useStoredChoice<T extends string>(
  key: string,
  choices: readonly [T, ...T[]],
): [T, (next: T) => void] {
  const [choice, setChoice] = useState<T>(
    () => choices.find((one) => one === localStorage.getItem(key)) ?? choices[0],
  );
  return [
    choice,
    (next) => {
      localStorage.setItem(key, next);
      setChoice(next);
    },
  ];
}
