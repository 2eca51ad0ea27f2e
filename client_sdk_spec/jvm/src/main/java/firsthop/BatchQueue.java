package firsthop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Sealed batches that wait: bounded in bytes and age. Used by one thread.
 *
 * <p>The oldest is sent first. When room is needed, ordinary batches go first, then slow ones, errors last; of one rank the
 * oldest. Every span that goes is counted.
 */
final class BatchQueue {
    /** The edge knows a batch id for at least this long. */
    static final long MOST_AGE_US = 7L * 24 * 3600 * 1_000_000;
    /** Between two batches there is room for the halves of the first, and theirs. */
    private static final long GAP = 1L << 20;
    /** A wall clock before 2020 was never set: no age is told by it. */
    private static final long LEAST_WALL_US = 1_577_836_800_000_000L;

    private final Storage storage;
    private final DropCounters drops;
    private final List<Entry> entries = new ArrayList<>();
    private long bytes;
    private long nextSequence;

    /** What is known of a batch without reading it. */
    static final class Entry {
        final long sequence;
        final Rank rank;
        final int spans;
        /** Where it is kept. */
        final long bytes;
        final long sealedWallUs;
        /** As {@link SealedBatch#counters}. */
        final long counters;

        Entry(long sequence, Rank rank, int spans, long bytes, long sealedWallUs, long counters) {
            this.sequence = sequence;
            this.rank = rank;
            this.spans = spans;
            this.bytes = bytes;
            this.sealedWallUs = sealedWallUs;
            this.counters = counters;
        }
    }

    BatchQueue(Storage storage, DropCounters drops) {
        this.storage = storage;
        this.drops = drops;
        for (Entry entry : storage.found()) {
            entries.add(entry);
            bytes += entry.bytes;
            nextSequence = Math.max(nextSequence, entry.sequence / GAP * GAP + GAP);
        }
        drops.add(DropCounters.OTHER, storage.lostSpans());
    }

    /** Takes a batch in, and makes room for it; what cannot be kept is counted. */
    void add(SealedBatch batch) {
        dropExpired(batch.sealedWallUs);
        insert(entries.size(), nextSequence, batch);
        nextSequence += GAP;
    }

    /** Its spans are in two others now, which go in its place. */
    void replace(Entry entry, SealedBatch first, SealedBatch second) {
        int at = entries.indexOf(entry);
        long end = at + 1 < entries.size() ? entries.get(at + 1).sequence : nextSequence;
        // If the process ends between these, the parent is halved again, into batches of the same ids.
        insert(at + 1, entry.sequence + (end - entry.sequence) / 2, second);
        insert(at + 1, entry.sequence, first);
        remove(entry);
    }

    private void insert(int at, long sequence, SealedBatch batch) {
        long room = storage.room(batch);
        if (room > storage.mostBytes()) { // it would push out everything, and itself
            drops.lose(batch, DropCounters.QUEUE_OVERFLOW);
            return;
        }
        Entry entry = new Entry(sequence, batch.rank, batch.spans, room, batch.sealedWallUs, batch.counters);
        entries.add(at, entry);
        bytes += room;
        try {
            storage.put(entry, batch);
        } catch (IOException full) {
            forget(entry);
            drops.lose(batch, DropCounters.STORAGE_FULL);
        }
        while (bytes > storage.mostBytes()) dropUnread(leastDear(), DropCounters.QUEUE_OVERFLOW);
    }

    /** The oldest that may go; null when none may. */
    Entry next(boolean errorsOnly) {
        for (Entry entry : entries) if (!errorsOnly || entry.rank == Rank.ERROR) return entry;
        return null;
    }

    /** Null when it cannot be read: then it is gone, and counted. */
    SealedBatch read(Entry entry) {
        SealedBatch batch = storage.get(entry);
        if (batch == null) {
            drops.add(DropCounters.OTHER, entry.spans);
            remove(entry);
        }
        return batch;
    }

    /** It was answered, or its spans are in others now. */
    void remove(Entry entry) {
        forget(entry);
        storage.remove(entry);
    }

    /** Gives it up: its spans are counted under the reason, and what it had to report is reported by another. */
    void drop(Entry entry, SealedBatch batch, String reason) {
        remove(entry);
        drops.lose(batch, reason);
    }

    void dropAll(String reason) {
        for (Entry entry : new ArrayList<>(entries)) dropUnread(entry, reason);
    }

    void dropExpired(long wallUs) {
        for (Entry entry : new ArrayList<>(entries)) {
            boolean told = entry.sealedWallUs >= LEAST_WALL_US && wallUs >= LEAST_WALL_US;
            if (told && wallUs - entry.sealedWallUs > MOST_AGE_US) dropUnread(entry, DropCounters.EXPIRED);
        }
    }

    /** The highest state of the drop counters that a batch here took along; −1: none did. */
    long latestCounters() {
        long latest = -1;
        for (Entry entry : entries) latest = Math.max(latest, entry.counters);
        return latest;
    }

    int size() {
        return entries.size();
    }

    private Entry leastDear() {
        Entry least = entries.get(0);
        for (Entry entry : entries) if (entry.rank.compareTo(least.rank) < 0) least = entry;
        return least;
    }

    private void dropUnread(Entry entry, String reason) {
        SealedBatch batch = storage.get(entry);
        remove(entry);
        if (batch == null) drops.add(reason, entry.spans);
        else drops.lose(batch, reason);
    }

    private void forget(Entry entry) {
        if (entries.remove(entry)) bytes -= entry.bytes;
    }
}
