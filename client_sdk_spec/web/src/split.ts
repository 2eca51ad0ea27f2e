/** A body that the edge finds too large, as two with new ids. Reads what `encode.ts` wrote. */

import type { Body } from "./batch.ts";
import { inflate } from "./compress.ts";
import { newBatchId } from "./ids.ts";

type Cell = number | string;
type Table = Record<string, Cell[] | string>;

const TEXT_COLUMNS = ["name", "method", "url", "route", "error_type", "protocol", "screen", "threshold", "randomness"];
const HEX_DIGITS: Record<string, number> = { span_id: 16, parent_span_id: 16, trace_id: 32 };

/** Both halves; `dropped` goes with the first. The strings and traces of each are its own. */
export async function halve(batch: Body): Promise<[Body, Body]> {
  const whole = JSON.parse(await inflate(batch.body));
  const { dropped, ...rest } = whole;
  const middle = whole.n >> 1;
  const half = (from: number, to: number, carries: boolean): Body => {
    const id = newBatchId();
    const columns = { ...rest, ...(carries && dropped && { dropped }), id, n: to - from };
    const body = new TextEncoder().encode(JSON.stringify(cut(columns, from, to)));
    return { ...batch, id, spans: to - from, bytes: body.length, dropped: carries ? batch.dropped : {}, body };
  };
  return [half(0, middle, true), half(middle, whole.n, false)];
}

function cut(body: any, from: number, to: number): unknown {
  const strings = new Map<string, number>();
  const code = (old: number): number => {
    if (!old) return 0;
    const text: string = body.strings[old - 1];
    if (!strings.has(text)) strings.set(text, strings.size + 1);
    return strings.get(text)!;
  };
  const traces: string[] = [];
  const trace = (old: number): number => {
    if (old < 0) return old;
    const id = body.traces.slice(old * 32, old * 32 + 32);
    return traces.includes(id) ? traces.indexOf(id) : traces.push(id) - 1;
  };
  const cols: Table = {};
  for (const [name, column] of Object.entries<Cell[] | string>(body.cols)) {
    const digits = HEX_DIGITS[name] ?? 1;
    const part = column.slice(from * digits, to * digits) as number[];
    cols[name] = name === "trace" ? part.map(trace) : TEXT_COLUMNS.includes(name) ? part.map(code) : part;
  }
  const found = { ...body, cols };
  for (const name of ["attrs", "events", "links"]) {
    if (body[name]) found[name] = rows(body[name], from, to, code);
  }
  return { ...found, traces: traces.join(""), strings: [...strings.keys()] };
}

/** The rows of a table whose spans are in this half. */
function rows(table: Table, from: number, to: number, code: (old: number) => number): Table {
  const spans = table.span as number[];
  const wanted = [...spans.keys()].filter((row) => spans[row]! >= from && spans[row]! < to);
  const found: Table = {};
  for (const [name, column] of Object.entries(table)) {
    const digits = HEX_DIGITS[name];
    if (digits) found[name] = wanted.map((row) => column.slice(row * digits, row * digits + digits)).join("");
    else if (name === "span") found[name] = wanted.map((row) => spans[row]! - from);
    else found[name] = wanted.map((row) => (name === "offset_us" ? (column[row] as number) : code(column[row] as number)));
  }
  return found;
}
