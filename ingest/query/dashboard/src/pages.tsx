/** The pages: what each one is, and what of the bar above them it goes by. */

import type { ReactNode } from "react";
import { AlertsPage } from "./AlertsPage.tsx";
import type { App } from "./api.ts";
import { ComparePage } from "./ComparePage.tsx";
import { HeatmapPage } from "./HeatmapPage.tsx";
import { OverviewPage } from "./OverviewPage.tsx";
import { PrivacyPage } from "./PrivacyPage.tsx";
import { QualityPage } from "./QualityPage.tsx";
import { SessionsPage } from "./SessionsPage.tsx";
import { SettingsPage } from "./SettingsPage.tsx";
import type { PageName, View } from "./view.ts";

export interface PageProps {
  app: App;
  view: View;
  /** Changes when answers are to be asked for again. */
  turn: number;
  next: () => void;
  /** Looks at the longest range; null when it is the one shown. */
  longer: (() => void) | null;
}

interface PageKind {
  Shown: (props: PageProps) => ReactNode;
  /** Whether the time range means something here. */
  ranges: boolean;
  /** Whether signal and filters do. */
  narrows: boolean;
  /** Whether the bar shows the percentile to choose; false where none is used, or the page offers the choice itself. */
  quantile: boolean;
}

export const PAGE_KINDS: Record<PageName, PageKind> = {
  overview: { Shown: OverviewPage, ranges: true, narrows: true, quantile: false },
  compare: { Shown: ComparePage, ranges: true, narrows: true, quantile: true },
  heatmap: { Shown: HeatmapPage, ranges: true, narrows: true, quantile: true },
  sessions: { Shown: SessionsPage, ranges: true, narrows: true, quantile: false },
  alerts: { Shown: AlertsPage, ranges: false, narrows: false, quantile: false },
  privacy: { Shown: PrivacyPage, ranges: true, narrows: false, quantile: false },
  quality: { Shown: QualityPage, ranges: true, narrows: false, quantile: false },
  settings: { Shown: SettingsPage, ranges: false, narrows: false, quantile: false },
};
