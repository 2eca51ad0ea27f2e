/** Time range and filters. */

import { Button, CloseButton, SegmentedControl, Select } from "@mantine/core";
import { PAGE_KINDS } from "./pages.tsx";
import { formatTime, quantileName } from "./units.ts";
import { ValuePicker } from "./ValuePicker.tsx";
import type { Dimension, Range, Signal, View } from "./view.ts";
import { SIGNAL_NAMES } from "./words.ts";
import { changeView, DIMENSIONS, isFiltered, QUANTILES, RANGES, signalParameters, SIGNALS, withoutFilters } from "./view.ts";

function Filter({ dimension, view, turn }: { dimension: Dimension; view: View; turn: number }) {
  const choose = (values: string[]): void => changeView({ filters: { ...view.filters, [dimension]: values } });
  return <ValuePicker dimension={dimension} chosen={view.filters[dimension]} query={signalParameters(view)} turn={turn} choose={choose} />;
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
        <Button variant="subtle" px="xs" onClick={() => changeView(withoutFilters())}>
          Clear filters
        </Button>
      )}
      {narrows && (
        <Button variant="subtle" px="xs" className="alert-on" onClick={() => changeView({ page: "alerts", edit: "new" })}>
          Alert on this view
        </Button>
      )}
    </nav>
  );
}
