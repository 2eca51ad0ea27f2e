/** The values of one dimension that a rule is about, with those there are to choose from. */

import { TagsInput } from "@mantine/core";
import { useState } from "react";
import type { Cut } from "./alerts.ts";
import { CUT_NAMES } from "./alertWords.ts";
import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { Signal } from "./view.ts";

interface CutValuesProps {
  app: string;
  cut: Cut;
  signal: Signal;
  values: string[];
  change: (values: string[]) => void;
}

export function CutValues({ app, cut, signal, values, change }: CutValuesProps) {
  const [open, setOpen] = useState(false);
  const query = new URLSearchParams({ app, dimension: cut, signal, from: "-24h", limit: "200" });
  const { data } = useAnswer<Values>(open ? `/api/v1/values?${query}` : null, 0);
  const known = (data?.values ?? []).flatMap(({ value }) => (value ? [value] : []));
  return (
    <TagsInput
      label={CUT_NAMES[cut]}
      className={cut === "route" ? "whole" : ""}
      placeholder={values.length === 0 ? "All" : ""}
      data={[...new Set(known)]}
      value={values}
      maxTags={20}
      onChange={change}
      onFocus={() => setOpen(true)}
    />
  );
}
