/**
 * What ran while the page was busy, by the browser's own sampling profiler (JS Self-Profiling), where the page's
 * `Document-Policy: js-profiling` allows it and the app asks for it. Long tasks carry the stacks that overlap them.
 */

const INTERVAL_MS = 10;
/** A minute of samples; of what comes later in the same trace nothing is known. */
const SAMPLES = 6_000;
const MOST_BYTES = 4_000;
const DEEPEST = 32;

interface Trace {
  frames: { name: string; resourceId?: number; line?: number }[];
  stacks: { frameId: number; parentId?: number }[];
  samples: { timestamp: number; stackId?: number }[];
}

interface Profiler extends EventTarget {
  stop(): Promise<Trace>;
}

type ProfilerClass = new (options: { sampleInterval: number; maxBufferSize: number }) => Profiler;

/** Folded stacks (`outer;inner 12`) of the samples between two moments, the most frequent first. Pure. */
export function fold({ frames, stacks, samples }: Trace, fromMs: number, toMs: number): string {
  const counts = new Map<string, number>();
  for (const { timestamp, stackId } of samples) {
    if (stackId === undefined || timestamp < fromMs || timestamp > toMs) continue;
    const names: string[] = [];
    for (let id: number | undefined = stackId; id !== undefined && names.length < DEEPEST; id = stacks[id]?.parentId) {
      const { name = "", line } = frames[stacks[id]?.frameId ?? -1] ?? {};
      names.unshift((name || "(anonymous)").replace(/[;\s]+/g, "_") + (line === undefined ? "" : `:${line}`));
    }
    const stack = names.join(";");
    counts.set(stack, (counts.get(stack) ?? 0) + 1);
  }
  let text = "";
  for (const [stack, count] of [...counts].sort(([, a], [, b]) => b - a)) {
    const line = `${text && "\n"}${stack} ${count}`;
    if (text.length + line.length > MOST_BYTES) break;
    text += line;
  }
  return text;
}

/** A profiler that runs all the time. */
export interface Profiling {
  /** The stacks of a stretch that is over: of the trace that ran in it, which ends here, and the next begins. */
  between(fromMs: number, toMs: number): Promise<string>;
  stop(): void;
}

/** Begins to profile; nothing where the browser has no profiler, or the document's policy does not allow it. */
export function profiling(): Profiling | undefined {
  const { Profiler } = globalThis as { Profiler?: ProfilerClass };
  const begin = (): Profiler | undefined => {
    try {
      return Profiler && new Profiler({ sampleInterval: INTERVAL_MS, maxBufferSize: SAMPLES });
    } catch {
      return undefined;
    }
  };
  let running = begin();
  if (!running) return undefined;
  return {
    async between(fromMs, toMs) {
      const ended = running;
      running = begin();
      return ended ? fold(await ended.stop(), fromMs, toMs) : "";
    },
    stop: () => void running?.stop(),
  };
}
