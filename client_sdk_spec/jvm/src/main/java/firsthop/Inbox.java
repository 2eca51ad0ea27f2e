package firsthop;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Where ended spans wait for the client's thread. Handing one over takes no lock, and never waits. Counts the memory of all
 * spans that are not sealed yet, those that have been taken out included.
 */
final class Inbox {
    static final long MOST_BYTES = 512 * 1024;

    private final ConcurrentLinkedQueue<Span> spans = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private volatile Thread reader;

    /** False when there is no room. */
    boolean offer(Span span) {
        long size = span.bytes();
        if (bytes.addAndGet(size) > MOST_BYTES) {
            bytes.addAndGet(-size);
            wake();
            return false;
        }
        spans.add(span);
        // Once when a batch is full: not for every span, for waking a thread costs more than all the rest.
        if (waiting.incrementAndGet() == OpenBatches.MOST_SPANS || size > OpenBatches.MOST_BYTES / 4) wake();
        return true;
    }

    /** Null when it is empty. */
    Span poll() {
        Span span = spans.poll();
        if (span != null) waiting.decrementAndGet();
        return span;
    }

    /** These bytes are not held any more. */
    void release(long released) {
        bytes.addAndGet(-released);
    }

    void readBy(Thread thread) {
        reader = thread;
    }

    void wake() {
        LockSupport.unpark(reader);
    }
}
