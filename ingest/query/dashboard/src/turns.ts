/** Live refresh: a count that goes up when it is time to ask again. */

import { useEffect, useState } from "react";

const PERIOD_MS = 10_000;

/** Goes up every 10 s while `live`; rests while the page is hidden and goes up at once when it is seen again. */
export function useTurns(live: boolean): [turn: number, next: () => void] {
  const [turn, setTurn] = useState(0);
  const next = (): void => setTurn((last) => last + 1);
  useEffect(() => {
    if (!live) return undefined;
    let timer: number | undefined;
    const follow = (): void => {
      window.clearInterval(timer);
      if (!document.hidden) timer = window.setInterval(next, PERIOD_MS);
    };
    const seenAgain = (): void => {
      follow();
      if (!document.hidden) next();
    };
    follow();
    document.addEventListener("visibilitychange", seenAgain);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", seenAgain);
    };
  }, [live]);
  return [turn, next];
}
