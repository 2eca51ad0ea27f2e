/** What an app is set to, as the query API tells it, and in words. */

export interface Key {
  id: string;
  role: string;
  label: string;
  /** The key itself, of client keys alone. */
  key: string | null;
  origins: string[];
  created_at: string;
  /** A day. */
  last_used_on: string | null;
  revoked_at: string | null;
}

export interface NewKey {
  id: string;
  role: string;
  key: string;
}

export interface Settings {
  app: { id: number; name: string };
  role: string;
  may_change: boolean;
  /** No URL: the port, on the host of this page. */
  edge: { url: string | null; port: number };
  keys: Key[];
  sampling: {
    budget_per_minute: number;
    floor_per_minute: number;
    send: boolean;
    most_kept: Record<"low" | "mid" | "high" | "unknown", number>;
    slow_ms: number;
    last_hours: { received: number; kept: number };
  };
  traces: { gateway: boolean; partners: string[] };
  policy: { version: number; source: "app" | "every_app" | "built_in"; since: string | null; file: string };
}

export interface Change {
  id: number;
  at: string;
  actor: string;
  role: string;
  action: string;
  subject: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface Audit {
  changes: Change[];
  next: string | null;
}

/** Where clients reach the edge; its usual port while the settings are not known yet. */
export function edgeAddress(settings: Settings | undefined): string {
  return settings?.edge.url ?? `${window.location.protocol}//${window.location.hostname}:${settings?.edge.port ?? 4318}`;
}

const ROLES: Record<string, [name: string, meaning: string]> = {
  client: ["Client key", "Sends from apps and pages. Public."],
  server: ["Server key", "Sends as a backend service."],
  token: ["Viewer", "Reads this app."],
  owner: ["Owner", "Reads and changes this app."],
  operator: ["Operator", "Reads every app."],
  admin: ["Admin", "Reads and changes every app."],
  privacy: ["Privacy key", "Erases a user’s data. Made by firsthop app key."],
};

/** The roles that a key made here can have. */
export const NEW_ROLES = ["token", "owner", "client", "server"] as const;

/** What a role is called. */
export function roleName(role: string): string {
  return ROLES[role]?.[0] ?? role;
}

/** What a key of a role is for. */
export function roleMeaning(role: string): string {
  return ROLES[role]?.[1] ?? "";
}

const ACTIONS: Record<string, string> = {
  "app.create": "App made",
  "key.create": "Key made",
  "key.revoke": "Key revoked",
  "key.origins": "Origins changed",
  "alert_rule.create": "Alert rule made",
  "alert_rule.update": "Alert rule changed",
  "alert_rule.delete": "Alert rule removed",
  "alert_rule.test": "Alert rule tested",
  "alert_silence.create": "Alerts silenced",
  "alert_silence.end": "Silence ended",
};

/** What was done: `rule.update`, which this page does not know, is “Rule: update”. */
export function actionName(action: string): string {
  const [noun = "", verb = ""] = action.split(".");
  return ACTIONS[action] ?? `${noun.charAt(0).toUpperCase()}${noun.slice(1)}: ${verb.replaceAll("_", " ")}`;
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.length ? value.join(", ") : "any";
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value).map(([name, part]) => `${name} ${written(part)}`).join(", ");
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

/** What is different now, member by member; of what is new or gone all that is not empty. */
export function changeText({ before, after }: Change): string {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const parts = names.map((name) => {
    const [was, is] = [before?.[name], after?.[name]];
    if (before && after) return JSON.stringify(was) === JSON.stringify(is) ? "" : `${name}: ${written(was)} → ${written(is)}`;
    const value = after ? is : was;
    if (name === "role") return roleName(String(value));
    return isEmpty(value) ? "" : `${name}: ${written(value)}`;
  });
  return parts.filter(Boolean).join("; ");
}

/** Whose change it was. */
export function actorName({ actor }: Change): string {
  const [kind, ...rest] = actor.split(":");
  if (kind === "user") return rest.join(":");
  return kind === "key" ? `key ${rest.join(":")}` : actor;
}

/** Web origins out of a text with blanks or commas between them. */
export function originsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
