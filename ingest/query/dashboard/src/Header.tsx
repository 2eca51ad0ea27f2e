/** Name, app, freshness, live refresh, light and dark. */

import { ActionIcon, Select, Switch, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import type { MouseEvent } from "react";
import { useEffect, useRef } from "react";
import type { App } from "./api.ts";
import { useAnswer } from "./api.ts";
import { formatAgo } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, formatView, PAGES, withoutFilters } from "./view.ts";
import { PAGE_NAMES } from "./words.ts";

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M7 21c3-10 9-12 14-6" fill="none" stroke="currentColor" strokeWidth="2.8" strokeLinecap="round" />
      <circle cx="7.5" cy="21.5" r="3.2" fill="currentColor" />
      <circle cx="23" cy="18" r="3.6" fill="var(--p95)" />
    </svg>
  );
}

function Scheme() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const label = dark ? "Light colours" : "Dark colours";
  return (
    <ActionIcon variant="default" size="lg" aria-label={label} title={label} onClick={() => setColorScheme(dark ? "light" : "dark")}>
      <svg width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" aria-hidden="true">
        {dark ? (
          <>
            <circle cx="12" cy="12" r="4.5" />
            <path d="M12 2v2m0 16v2M2 12h2m16 0h2M4.9 4.9l1.4 1.4m11.4 11.4 1.4 1.4m0-14.2-1.4 1.4M6.3 17.7l-1.4 1.4" />
          </>
        ) : (
          <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z" strokeLinejoin="round" />
        )}
      </svg>
    </ActionIcon>
  );
}

function Pages({ view }: { view: View }) {
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>("[aria-current]");
    // Not scrollIntoView, which would move the page as well.
    if (list.current && current) list.current.scrollLeft = current.offsetLeft - (list.current.clientWidth - current.offsetWidth) / 2;
  }, [view.page]);
  const open = (event: MouseEvent, page: View["page"]): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    changeView({ page, trace: null, edit: null });
  };
  return (
    <nav className="pages" aria-label="Pages" ref={list}>
      {PAGES.map((page) => (
        <a
          key={page}
          href={formatView({ ...view, page, trace: null, edit: null }) || "/"}
          aria-current={page === view.page ? "page" : undefined}
          onClick={(event) => open(event, page)}
        >
          {PAGE_NAMES[page]}
        </a>
      ))}
    </nav>
  );
}

export function Header({ apps, view, turn }: { apps: App[]; view: View; turn: number }) {
  const { data } = useAnswer<{ newest_window: string | null }>(`/api/v1/health?app=${encodeURIComponent(view.app ?? "")}`, turn);
  return (
    <header className="top">
      <h1>
        <Mark />
        firsthop
      </h1>
      <Select
        aria-label="App"
        data={apps.map((app) => app.name)}
        value={view.app}
        allowDeselect={false}
        searchable={apps.length > 8}
        w={180}
        onChange={(app) => changeView({ ...withoutFilters(), app, trace: null })}
      />
      <Pages view={view} />
      <div className="spring" />
      {data?.newest_window && (
        <span className="fresh" title={data.newest_window}>
          newest data {formatAgo(new Date(data.newest_window))}
        </span>
      )}
      <Switch
        label="Live"
        aria-label="Refresh every 10 seconds"
        checked={view.live}
        onChange={(event) => changeView({ live: event.currentTarget.checked })}
      />
      <Scheme />
    </header>
  );
}
