/** Who sends, as a batch says it (`fields.json`, `resource`). */

import { agreed } from "./consent.ts";
import type { Consent, Options } from "./options.ts";
import { VERSION } from "./version.ts";

interface Device extends Navigator {
  /** GiB, rounded by the browser. */
  deviceMemory?: number;
  connection?: { type?: string; effectiveType?: string };
}

const NETWORKS: Record<string, string> = { wifi: "wifi", ethernet: "wired" };

/** What the browser says the network is; most say nothing. */
function network(): string | undefined {
  const { type, effectiveType } = (navigator as Device).connection ?? {};
  return type === "cellular" ? (effectiveType ?? "cell") : NETWORKS[type ?? ""];
}

export function resource(
  { service, version, environment }: Options,
  consent: Consent | undefined,
  session: string,
  reported: boolean,
): Record<string, unknown> {
  const { deviceMemory, hardwareConcurrency } = navigator as Device;
  return {
    service,
    ...(version && { version }),
    ...(environment && { environment }),
    ...(network() && { network: network() }),
    ...(agreed(consent) && { session }),
    sdk: `firsthop-web/${VERSION}`,
    ...(deviceMemory && { memory_mb: deviceMemory * 1024 }),
    ...(hardwareConcurrency && { cores: hardwareConcurrency }),
    ...(consent && { consent }),
    ...(reported && { reported: true }),
  };
}
