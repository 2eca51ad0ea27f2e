package firsthop;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many spans were dropped, by reason, and not yet told in a batch. Any thread may count.
 *
 * <p>Counts move: {@link #taken} says that a batch has them, a batch that is given up hands them back. So each drop is in one place,
 * and told once. They are kept with a number for their state, which the batch that takes them writes down, too: when the
 * process ends between keeping the batch and keeping the counters, the next one sees that they were taken.
 */
final class DropCounters {
    static final String CONSENT = "consent";
    static final String EXPIRED = "expired";
    /** The bound on what waits, in memory or on disk. */
    static final String QUEUE_OVERFLOW = "queue_overflow";
    static final String REJECTED = "rejected";
    static final String SAMPLED = "sampled";
    /** The disk would not take it. */
    static final String STORAGE_FULL = "storage_full";
    static final String TOO_LARGE = "too_large";
    /** A file that could not be read, or was not finished when the process ended: WIRE.md has no word for it. */
    static final String OTHER = "other";

    /** The words of WIRE.md, and that one. */
    private static final String[] REASONS = {
        "before_send", CONSENT, EXPIRED, "network_error", QUEUE_OVERFLOW, "rate_limited", REJECTED, SAMPLED, STORAGE_FULL,
        TOO_LARGE, OTHER
    };

    private static final String NOTE = "drops";

    private final Map<String, AtomicLong> counts = new LinkedHashMap<>();
    private long state;
    private Map<String, Long> noted = new LinkedHashMap<>();
    private long notedState;

    DropCounters() {
        for (String reason : REASONS) counts.put(reason, new AtomicLong());
    }

    void add(String reason, long spans) {
        AtomicLong count = counts.get(reason);
        (count == null ? counts.get(OTHER) : count).addAndGet(spans);
    }

    /** A sealed batch will not arrive: its spans are dropped, and what it had to tell is untold again. */
    void lose(SealedBatch batch, String reason) {
        add(reason, batch.spans);
        for (Map.Entry<String, Long> told : batch.dropped.entrySet()) add(told.getKey(), told.getValue());
    }

    /** What is to be told now. Once the batch that tells it is kept, {@link #taken} is called. */
    Map<String, Long> pending() {
        Map<String, Long> pending = new LinkedHashMap<>();
        for (Map.Entry<String, AtomicLong> entry : counts.entrySet()) {
            long count = entry.getValue().get();
            if (count > 0) pending.put(entry.getKey(), count);
        }
        return pending;
    }

    long state() {
        return state;
    }

    /** A batch has taken them along. */
    void taken(Map<String, Long> taken) {
        for (Map.Entry<String, Long> entry : taken.entrySet()) counts.get(entry.getKey()).addAndGet(-entry.getValue());
        state++;
    }

    /** Goes on with what an earlier process kept. */
    void resume(Storage storage, BatchQueue queue) {
        long latest = queue.latestCounters();
        byte[] note = storage.note(NOTE);
        try {
            if (note != null) {
                Map<?, ?> map = (Map<?, ?>) MessagePack.unpack(note);
                state = (Long) map.get("state");
                boolean takenAlong = latest >= state;
                for (Map.Entry<?, ?> entry : ((Map<?, ?>) map.get("counts")).entrySet()) {
                    if (!takenAlong) add((String) entry.getKey(), (Long) entry.getValue());
                }
            }
        } catch (MessagePack.Malformed | ClassCastException | NullPointerException foreign) {
            // written by another version: its counts are lost
        }
        state = Math.max(state, latest + 1);
    }

    /** Keeps what changed since the last time. */
    void keep(Storage storage) {
        Map<String, Long> pending = pending();
        if (pending.equals(noted) && state == notedState) return;
        noted = pending;
        notedState = state;
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("state", state);
        map.put("counts", pending);
        storage.note(NOTE, MessagePack.pack(map));
    }
}
