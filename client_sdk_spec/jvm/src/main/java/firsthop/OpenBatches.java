package firsthop;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Spans that wait for more of their kind: one batch for each context and epoch. Used by one thread. */
final class OpenBatches {
    static final int MOST_SPANS = 100;
    static final long MOST_BYTES = 48 * 1024;
    static final long LONGEST_US = 30_000_000;
    private static final int MOST_OPEN = 8;

    private final Map<Key, Open> open = new LinkedHashMap<>();

    private static final class Key {
        final Context context;
        final String epoch;

        Key(Context context, String epoch) {
            this.context = context;
            this.epoch = epoch;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key && context.equals(((Key) other).context) && epoch.equals(((Key) other).epoch);
        }

        @Override
        public int hashCode() {
            return 31 * context.hashCode() + epoch.hashCode();
        }
    }

    /** Spans of one context and epoch. */
    static final class Open {
        final Context context;
        final String epoch;
        final List<Span> spans = new ArrayList<>();
        final long sinceUs;
        /** About what they take when encoded, before compression. */
        long encodedBytes = 400;

        Open(Context context, String epoch, long sinceUs) {
            this.context = context;
            this.epoch = epoch;
            this.sinceUs = sinceUs;
        }
    }

    /** Adds a span; returns what is to be sealed now, or null. */
    Open add(Span span, long nowUs) {
        Key key = new Key(span.context, span.epoch);
        Open batch = open.get(key);
        Open overfull = null;
        if (batch != null && batch.encodedBytes + span.encodedBytes() > MOST_BYTES) {
            overfull = open.remove(key);
            batch = null;
        }
        if (batch == null) {
            batch = new Open(span.context, span.epoch, nowUs);
            open.put(key, batch);
        }
        batch.spans.add(span);
        batch.encodedBytes += span.encodedBytes();
        if (overfull != null) return overfull;
        if (batch.spans.size() == MOST_SPANS) return open.remove(key);
        return open.size() > MOST_OPEN ? oldest() : null;
    }

    private Open oldest() {
        Iterator<Open> batches = open.values().iterator();
        Open oldest = batches.next();
        batches.remove();
        return oldest;
    }

    /** Those that have waited long enough, or all. */
    List<Open> due(long nowUs, boolean all) {
        List<Open> due = new ArrayList<>();
        for (Iterator<Open> batches = open.values().iterator(); batches.hasNext(); ) {
            Open batch = batches.next();
            if (!all && nowUs - batch.sinceUs < LONGEST_US) continue;
            due.add(batch);
            batches.remove();
        }
        return due;
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    /** When the next one is due; {@link Long#MAX_VALUE}: none waits. */
    long nextUs() {
        long next = Long.MAX_VALUE;
        for (Open batch : open.values()) next = Math.min(next, batch.sinceUs + LONGEST_US);
        return next;
    }
}
