/** Ways to send to firsthop, to be copied: `client_sdk_spec/snippets`, filled in. */

import browser from "../../../../client_sdk_spec/snippets/browser.html?raw";
import module from "../../../../client_sdk_spec/snippets/browser.js?raw";
import faro from "../../../../client_sdk_spec/snippets/faro.js?raw";
import jvm from "../../../../client_sdk_spec/snippets/jvm.java?raw";
import nel from "../../../../client_sdk_spec/snippets/nel.txt?raw";
import android from "../../../../client_sdk_spec/snippets/opentelemetry-android.kt?raw";
import swift from "../../../../client_sdk_spec/snippets/opentelemetry-swift.swift?raw";
import web from "../../../../client_sdk_spec/snippets/opentelemetry-web.js?raw";

export interface Snippet {
  name: string;
  text: string;
}

export const SNIPPETS: Snippet[] = [
  { name: "Web page", text: browser },
  { name: "Web, bundled", text: module },
  { name: "Android, JVM", text: jvm },
  { name: "Grafana Faro", text: faro },
  { name: "OpenTelemetry JS", text: web },
  { name: "OpenTelemetry Swift", text: swift },
  { name: "OpenTelemetry Android", text: android },
  { name: "Network errors", text: nel },
];

/** The text with the edge's address, the app's key and its name. */
export function fill(text: string, edge: string, key: string, app: string): string {
  return text.replaceAll("{{edge}}", edge).replaceAll("{{key}}", key).replaceAll("{{app}}", app).trimEnd();
}
