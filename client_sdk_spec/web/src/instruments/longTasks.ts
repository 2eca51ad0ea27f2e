/** Stretches in which the page could not answer: long animation frames, where the browser knows them, else long tasks. */

import type { Instrument } from "../recorder.ts";
import { Kind, Signal } from "../span.ts";
import type { Attributes, Span } from "../span.ts";
import { observe, onHide, place } from "./context.ts";
import { profiling } from "./profile.ts";

const MOST_A_MINUTE = 60;

interface Script {
  duration: number;
  sourceURL?: string;
  sourceFunctionName?: string;
  invoker?: string;
}

interface LongFrame extends PerformanceEntry {
  blockingDuration?: number;
  scripts?: Script[];
}

/** Who kept it busy longest. */
function culprit({ blockingDuration, scripts = [] }: LongFrame): Attributes {
  const [worst] = [...scripts].sort((a, b) => b.duration - a.duration);
  return {
    ...(blockingDuration !== undefined && { "long_task.blocking_ms": Math.round(blockingDuration) }),
    ...(worst?.sourceURL && { "code.url": worst.sourceURL }),
    ...(worst?.sourceFunctionName && { "code.function.name": worst.sourceFunctionName }),
    ...(worst?.invoker && { "long_task.invoker": worst.invoker }),
  };
}

export const longTasks: Instrument = (recorder, options) => {
  const frames = PerformanceObserver.supportedEntryTypes?.includes("long-animation-frame");
  const profiler = options.profile ? profiling() : undefined;
  let minute = 0;
  let seen = 0;
  /** Those whose stacks are being folded. */
  const waiting = new Set<Span>();
  const tell = (span: Span, stacks = ""): void => {
    if (!waiting.delete(span)) return;
    if (stacks) span.attributes!["profile.folded"] = stacks;
    recorder.record(span);
  };
  const observer = observe(frames ? "long-animation-frame" : "longtask", (entry) => {
    const now = Math.floor(entry.startTime / 60_000);
    if (now !== minute) [minute, seen] = [now, 0];
    if (++seen > MOST_A_MINUTE) return recorder.drop("rate_limited", 1);
    const span: Span = {
      ...place(recorder),
      spanId: recorder.newSpanId(),
      name: frames ? "long animation frame" : "long task",
      signal: Signal.longTask,
      kind: Kind.internal,
      url: location.href,
      startUs: Math.round(entry.startTime * 1000),
      durationUs: Math.round(entry.duration * 1000),
      attributes: culprit(entry),
    };
    waiting.add(span);
    if (!profiler) return tell(span);
    profiler.between(entry.startTime, entry.startTime + entry.duration).then(
      (stacks) => tell(span, stacks),
      () => tell(span),
    );
  });
  const stopHide = onHide(() => {
    observer.flush();
    for (const span of [...waiting]) tell(span);
  });
  return () => {
    stopHide();
    observer.stop();
    profiler?.stop();
    for (const span of [...waiting]) tell(span);
  };
};
