/** What the user has agreed to, and what follows from it. */

import type { Consent } from "./options.ts";

/** The strictest of what the app says and what the browser sends along by itself (`Sec-GPC`, `DNT`). */
export function strictest(consent: Consent | undefined): Consent | undefined {
  const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return globalPrivacyControl || doNotTrack === "1" ? "denied" : consent;
}

/** Whether anything may be kept on the device, and the session be named: the app does not ask, or the user agreed. */
export const agreed = (consent: Consent | undefined): boolean => consent === undefined || consent === "granted";
