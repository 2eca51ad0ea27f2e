/** What things are called on the page. */

import type { FirstByte, Privacy, Suppressed } from "./api.ts";
import type { Rating } from "./overview.ts";
import type { Dimension, Metric, PageName, Phase, Signal } from "./view.ts";

export const PAGE_NAMES: Record<PageName, string> = {
  overview: "Overview",
  compare: "Compare",
  heatmap: "Heatmap",
  sessions: "Sessions",
  alerts: "Alerts",
  quality: "Quality",
  privacy: "Privacy",
  settings: "Settings",
};

export const SIGNAL_NAMES: Record<Signal, string> = {
  request: "Requests",
  page: "Page loads",
  screen: "Screens",
  start: "App starts",
  operation: "Operations",
  lcp: "LCP",
  inp: "INP",
  cls: "CLS",
  fcp: "FCP",
  ttfb: "TTFB of pages",
  exception: "Exceptions",
  long_task: "Long tasks",
  event: "Events",
  report: "Browser reports",
};

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
  ttfb: "From the end of the request (from its start in browsers, which do not tell when it was sent) to the first byte of the final response.",
  download: "From the first byte of the response to the last.",
};

export const DIMENSION_NAMES: Record<Dimension, string> = {
  version: "Version",
  country: "Country",
  device_class: "Device class",
  network: "Network",
};

export const VITAL_MEANINGS: Partial<Record<Signal, string>> = {
  lcp: "Largest contentful paint: when the main content is seen.",
  inp: "Interaction to next paint: how long the page takes to react.",
  cls: "Cumulative layout shift: how much the page jumps about.",
  fcp: "First contentful paint: when anything is seen.",
  ttfb: "Time to first byte, from the start of the navigation.",
};

export const RATING_NAMES: Record<Rating, string> = { good: "Good", needs_improvement: "Needs improvement", poor: "Poor" };

const COUNTRIES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** A dimension's value in words. */
export function valueName(dimension: Dimension, value: string): string {
  if (value === "") return "not given";
  if (dimension !== "country" || !/^[A-Z]{2}$/.test(value)) return value;
  const name = COUNTRIES.of(value);
  return name ? `${name} (${value})` : value;
}

/** What each rule of the scrubber stands for: its name, and what it replaces. */
const RULE_MEANINGS: Record<string, [name: string, meaning: string]> = {
  account: ["Account names", "Who signs in, as access logs, servers and directories write it."],
  api_key: ["API keys", "Keys that providers give out, known by their form."],
  argument: ["Secrets on a command line", "The value of an option such as --password."],
  assignment: ["Named values in text", "What stands behind password=, token: and other telling names."],
  bearer: ["Authorization", "Credentials behind Bearer, Basic and the like."],
  card: ["Payment cards", "Numbers of known issuers whose check digit is right."],
  code: ["Codes", "One-time codes and card codes that a word announces."],
  contact_card: ["Contact cards", "Lines of a vCard, entries of a directory, the password of a wireless network."],
  cookie: ["Cookies", "The values of a Cookie or Set-Cookie header quoted in a text."],
  dashed_ip: ["IP addresses in host names", "Addresses written with dashes, as in ip-10-0-0-1."],
  element: ["Elements with telling names", "What an XML or HTML element of a telling name holds."],
  email: ["E-mail addresses", "In any encoding."],
  encoded: ["Encoded runs", "What came out of base64 or percent escapes was personal."],
  grant: ["One-time links", "What follows /reset/, /invite/ and the like in a path."],
  header: ["Headers", "The values of headers that carry credentials, cookies or addresses."],
  iban: ["Bank accounts", "IBANs whose check digits are right."],
  identity: ["National ids by their form", "Numbers of such a form that they can be nothing else, with the right check digits."],
  ipv4: ["IPv4 addresses", "Not versions, not the machine itself."],
  ipv6: ["IPv6 addresses", "Not the machine itself."],
  jwt: ["JSON web tokens", "Signed tokens with what they say of the user."],
  key: ["Telling names", "The whole value, because its name says that it is personal or the policy denies it."],
  label: ["Values behind a telling word", "As in client secret 8f3K…, with no sign between the two."],
  labelled_id: ["Numbers with a label", "National ids, device ids and account numbers that a word announces."],
  mac: ["Hardware addresses", "MAC addresses of network cards."],
  mailbox: ["Names beside an e-mail address", "As in Jane Doe <jane@example.org>."],
  member: ["Members of objects", "Values in JSON, GraphQL and the like whose names say that they are personal."],
  opaque: ["Opaque tokens", "Long runs of random letters and digits; hashes and ids of builds and traces stay."],
  owned_device: ["Owners in names of devices", "As in Jane's iPhone or Janes-MacBook-Pro."],
  phone: ["Phone numbers", "Numbers that could be dialled."],
  place: ["Positions", "Latitude and longitude."],
  policy: ["The policy’s own patterns", "What a pattern of the app’s policy found."],
  private_key: ["Private keys", "Keys in PEM blocks."],
  serial: ["Device numbers", "IMEI, serial numbers and advertising ids behind their names."],
  signature: ["Signatures that did not match", "As error messages quote them: expected … got …."],
  sql: ["SQL literals", "Values written into a statement; the statement stays."],
  ssn: ["Social security numbers", "Numbers of the United States."],
  unexamined: ["Not examined", "Texts too long or too deeply nested to be examined: none of it is passed on."],
  unlisted: ["Attributes not listed", "The policy lists the attributes that may be stored; these are not among them."],
  url: ["Parts of URLs", "Parameters, sign-in parts and segments that are personal by their names."],
  user_agent: ["User-Agents", "They only serve to tell the class of the device."],
  user_path: ["User names in paths", "The name behind /home/ or C:\\Users\\."],
};

/** The name of a rule; that of a policy's own pattern is what the policy calls it. */
export function ruleName(rule: string): string {
  return RULE_MEANINGS[rule]?.[0] ?? rule.replace(/^policy:/, "").replaceAll("_", " ");
}

/** What a rule replaces. */
export function ruleMeaning(rule: string): string | undefined {
  return RULE_MEANINGS[rule.startsWith("policy:") ? "policy" : rule]?.[1];
}

/** Whose policy an app is treated by. */
export const POLICY_SOURCES: Record<Privacy["policy"]["source"], string> = {
  app: "This app’s own",
  every_app: "That of every app without one of its own",
  built_in: "The built-in one: no policy has been given",
};

/** What is not shown because too few sessions are in it. Counted before filters choose, lest the count tell who is there. */
export function leftOut({ least_sessions: least, groups, points }: Suppressed): string {
  const parts = [
    groups > 0 && `${groups} ${groups === 1 ? "group" : "groups"}`,
    points > 0 && `${points} ${points === 1 ? "point" : "points"} in time`,
  ];
  return (
    `Left out, whatever the filters choose: ${parts.filter(Boolean).join(" and ")} with fewer than ${least} sessions, or from which ` +
    "those could be worked out. No figure here is about one person."
  );
}

/** What is known of the time to first byte of a request whose server is known. */
export const FIRST_BYTES: Record<FirstByte["state"], string | null> = {
  measured: null,
  unknown: "The network’s part is unknown: the client did not measure the time to first byte, or several spans claim this id.",
  contradictory: "The server says it took longer than the time to first byte, so that the network’s part is unknown.",
};

/** What a link says of the span at its other end. */
export const LINK_KINDS: Record<string, string> = {
  span: "linked by its sender",
  server: "answered by",
  external: "in the client’s own trace",
};

/** What the grades of a client's clock mean. */
export const CLOCK_GRADES: Record<string, string> = {
  A: "anchored both ways",
  B: "bounded by its sending",
  C: "from an older epoch, with an anchor",
  D: "bridged over a clock step",
  E: "by the device’s wall clock alone",
  F: "by the time of receipt alone",
};

/** The same for a backend's spans. */
export const BACKEND_CLOCK = "by the server’s own clock, whose error is assumed";
