/** A number that is being typed: what is not one yet is left standing, and not passed on. */

import { TextInput } from "@mantine/core";
import { useState } from "react";

interface NumberFieldProps {
  label: string;
  /** What the number counts, after it. */
  unit?: string;
  value: number;
  change: (value: number) => void;
}

export function NumberField({ label, unit, value, change }: NumberFieldProps) {
  const [text, setText] = useState(String(Number(value.toPrecision(9))));
  const wrong = !(Number(text) > 0);
  return (
    <TextInput
      label={label}
      inputMode="decimal"
      value={text}
      error={wrong && "A number above 0"}
      required
      rightSection={unit && <span className="aside">{unit}</span>}
      {...(unit && { rightSectionWidth: 16 + unit.length * 7 })}
      onChange={(event) => {
        const typed = event.currentTarget.value;
        setText(typed);
        if (Number(typed) > 0) change(Number(typed));
      }}
    />
  );
}
