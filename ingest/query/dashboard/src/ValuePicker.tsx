/** A dimension's values to choose from, most spans first. */

import { Button, Combobox, useCombobox } from "@mantine/core";
import { useState } from "react";
import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import { formatCount } from "./units.ts";
import type { Dimension } from "./view.ts";
import { DIMENSION_NAMES, valueName } from "./words.ts";

interface ValuePickerProps {
  dimension: Dimension;
  chosen: string[];
  /** What calls for the values carry: app, time range, signal. */
  query: URLSearchParams;
  turn: number;
  choose: (values: string[]) => void;
  /** Read out before the dimension's name, where it stands on the page more than once. */
  owner?: string;
  size?: "xs";
}

export function ValuePicker({ dimension, chosen, query, turn, choose, owner, size }: ValuePickerProps) {
  const [search, setSearch] = useState("");
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setSearch("");
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  const asked = new URLSearchParams(query);
  asked.set("dimension", dimension);
  asked.set("limit", "200");
  const { data, error } = useAnswer<Values>(combobox.dropdownOpened ? `/api/v1/values?${asked}` : null, turn);
  const counts = new Map((data?.values ?? []).map(({ value, spans }) => [value ?? "", spans]));
  for (const value of chosen) if (!counts.has(value)) counts.set(value, 0);
  const shown = [...counts].filter(([value]) => valueName(dimension, value).toLowerCase().includes(search.toLowerCase()));
  const toggle = (value: string): void => {
    choose(chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]);
  };
  return (
    <Combobox store={combobox} onOptionSubmit={toggle} width={260} position="bottom-start" shadow="md">
      <Combobox.Target targetType="button">
        <Button
          variant={chosen.length ? "light" : "default"}
          className="filter"
          {...(size && { size })}
          onClick={() => combobox.toggleDropdown()}
          rightSection={<span aria-hidden="true">▾</span>}
        >
          {owner && <span className="visually-hidden">{owner}: </span>}
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
