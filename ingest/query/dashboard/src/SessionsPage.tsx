/** Sessions of the sample: the recent ones, or one from its beginning. */

import type { PageProps } from "./pages.tsx";
import { SessionList } from "./SessionList.tsx";
import { SessionTimeline } from "./SessionTimeline.tsx";

export function SessionsPage({ view, turn, next }: PageProps) {
  if (view.session) return <SessionTimeline key={view.session} view={view} id={view.session} turn={turn} retry={next} />;
  return <SessionList view={view} turn={turn} retry={next} />;
}
