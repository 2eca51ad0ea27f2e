/** What things are called on the page. */

import type { Dimension, Metric, Phase } from "./view.ts";

export const METRIC_NAMES: Record<Metric, string> = {
  duration: "Duration",
  redirect: "Redirect",
  blocked: "Blocked",
  dns: "DNS",
  tcp: "TCP",
  tls: "TLS",
  request: "Request",
  ttfb: "TTFB",
  download: "Download",
};

export const PHASE_MEANINGS: Record<Phase, string> = {
  redirect: "Following redirects to the final address.",
  blocked: "Waiting in the client: queue, connection limit, proxy.",
  dns: "Looking the name up.",
  tcp: "Opening the connection, TLS not included.",
  tls: "Agreeing on encryption. With HTTP/3 this is the whole handshake.",
  request: "Sending the request.",
  ttfb: "From the end of the request to the first byte of the final response.",
  download: "From the first byte of the response to the last.",
};

export const DIMENSION_NAMES: Record<Dimension, string> = {
  version: "Version",
  country: "Country",
  device_class: "Device class",
  network: "Network",
};

const COUNTRIES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** A dimension's value in words. */
export function valueName(dimension: Dimension, value: string): string {
  if (value === "") return "not given";
  if (dimension !== "country" || !/^[A-Z]{2}$/.test(value)) return value;
  const name = COUNTRIES.of(value);
  return name ? `${name} (${value})` : value;
}

/** What the grades of a span's clock mean. */
export const CLOCK_GRADES: Record<string, string> = {
  A: "anchored both ways",
  B: "bounded by its sending",
  C: "from an older epoch, with an anchor",
  D: "bridged over a clock step",
  E: "by the device’s wall clock alone",
  F: "by the time of receipt alone",
};
