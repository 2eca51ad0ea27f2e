/** How bad it is, by shape and word as well as colour. */

import type { Severity } from "./alerts.ts";
import { SEVERITY_NAMES } from "./alertWords.ts";

const SHAPES: Record<Severity, string> = { info: "●", warning: "▲", critical: "◆" };

export function SeverityMark({ severity, standing }: { severity: Severity; standing?: "pending" | "firing" | "resolved" }) {
  const about = standing && standing !== "firing" ? standing : SEVERITY_NAMES[severity];
  return (
    <span className={`severity severity-${standing === "resolved" ? "over" : severity} ${standing === "pending" ? "hollow" : ""}`}>
      <span aria-hidden="true">{standing === "resolved" ? "✓" : SHAPES[severity]}</span> {about}
    </span>
  );
}
