/** Time range and filters. */

import { Button, CloseButton, Combobox, SegmentedControl, Select, useCombobox } from "@mantine/core";
import { useState } from "react";
import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import { PAGE_KINDS } from "./pages.tsx";
import { formatCount, formatTime, quantileName } from "./units.ts";
import type { Dimension, Range, Signal, View } from "./view.ts";
import { DIMENSION_NAMES, SIGNAL_NAMES, valueName } from "./words.ts";
import { changeView, DIMENSIONS, isFiltered, QUANTILES, RANGES, signalParameters, SIGNALS, withoutFilters } from "./view.ts";

function Filter({ dimension, view, turn }: { dimension: Dimension; view: View; turn: number }) {
  const [search, setSearch] = useState("");
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setSearch("");
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  const chosen = view.filters[dimension];
  const query = signalParameters(view);
  query.set("dimension", dimension);
  query.set("limit", "200");
  const { data, error } = useAnswer<Values>(combobox.dropdownOpened ? `/api/v1/values?${query}` : null, turn);
  const counts = new Map((data?.values ?? []).map(({ value, spans }) => [value ?? "", spans]));
  for (const value of chosen) if (!counts.has(value)) counts.set(value, 0);
  const shown = [...counts].filter(([value]) => valueName(dimension, value).toLowerCase().includes(search.toLowerCase()));
  const toggle = (value: string): void => {
    const values = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    changeView({ filters: { ...view.filters, [dimension]: values } });
  };
  return (
    <Combobox store={combobox} onOptionSubmit={toggle} width={260} position="bottom-start" shadow="md">
      <Combobox.Target targetType="button">
        <Button
          variant={chosen.length ? "light" : "default"}
          className="filter"
          onClick={() => combobox.toggleDropdown()}
          rightSection={<span aria-hidden="true">▾</span>}
        >
          {DIMENSION_NAMES[dimension]}
          {chosen.length > 0 && (
            <span className="picked">
              {valueName(dimension, chosen[0] ?? "")}
              {chosen.length > 1 && ` +${chosen.length - 1}`}
            </span>
          )}
        </Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          placeholder={`Search ${DIMENSION_NAMES[dimension].toLowerCase()}`}
          aria-label={`Search ${DIMENSION_NAMES[dimension].toLowerCase()}`}
        />
        <Combobox.Options mah={280} style={{ overflowY: "auto" }} aria-label={DIMENSION_NAMES[dimension]}>
          {shown.map(([value, spans]) => (
            <Combobox.Option value={value} key={value} disabled={value === ""} active={chosen.includes(value)} className="option">
              <span className="tick" aria-hidden="true">{chosen.includes(value) ? "✓" : ""}</span>
              <span className="spring">{valueName(dimension, value)}</span>
              <span className="aside">{formatCount(spans)}</span>
            </Combobox.Option>
          ))}
          {shown.length === 0 && (
            <Combobox.Empty>{error ? error.message : data ? "Nothing in this time range" : "Loading …"}</Combobox.Empty>
          )}
        </Combobox.Options>
        {data?.suppressed && data.suppressed.groups > 0 && (
          <Combobox.Footer>
            <span className="aside">{formatCount(data.suppressed.groups)} not listed: too few sessions</span>
          </Combobox.Footer>
        )}
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Chip({ label, clear }: { label: string; clear: () => void }) {
  return (
    <span className="chip">
      <span>{label}</span>
      <CloseButton size="xs" aria-label={`Remove ${label}`} onClick={clear} />
    </span>
  );
}

export function FilterBar({ view, turn }: { view: View; turn: number }) {
  const { narrows, quantile } = PAGE_KINDS[view.page];
  return (
    <nav className="filters" aria-label="Time range and filters">
      <SegmentedControl
        aria-label="Time range"
        data={[...RANGES]}
        value={view.from ? "" : view.range}
        onChange={(range) => changeView({ range: range as Range, from: null, to: null })}
      />
      {narrows && (
        <Select
          aria-label="What figures are about"
          className="signal"
          data={SIGNALS.map((signal) => ({ value: signal, label: SIGNAL_NAMES[signal] }))}
          value={view.signal}
          allowDeselect={false}
          onChange={(signal) => changeView({ signal: (signal ?? "request") as Signal, metric: "duration", route: null })}
        />
      )}
      {quantile && (
        <SegmentedControl
          aria-label="Percentile"
          data={QUANTILES.map((each) => ({ value: String(each), label: quantileName(each) }))}
          value={String(view.quantile)}
          onChange={(each) => changeView({ quantile: Number(each) })}
        />
      )}
      {narrows && DIMENSIONS.map((dimension) => (
        <Filter key={dimension} dimension={dimension} view={view} turn={turn} />
      ))}
      {view.from && view.to && (
        <Chip
          label={`${formatTime(new Date(view.from))} – ${formatTime(new Date(view.to))}`}
          clear={() => changeView({ from: null, to: null })}
        />
      )}
      {narrows && view.route && <Chip label={view.route} clear={() => changeView({ route: null })} />}
      {narrows && isFiltered(view) && (
        <Button variant="subtle" onClick={() => changeView(withoutFilters())}>
          Clear filters
        </Button>
      )}
      {narrows && (
        <Button variant="subtle" className="alert-on" onClick={() => changeView({ page: "alerts", edit: "new" })}>
          Alert on this view
        </Button>
      )}
    </nav>
  );
}
