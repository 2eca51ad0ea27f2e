package firsthop;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The last spans that sampling left out: what is sent after all when the user reports a problem. Used by one thread. */
final class LeftOut {
    private static final long MOST_BYTES = 128 * 1024;

    private final ArrayDeque<Span> spans = new ArrayDeque<>();
    private long bytes;

    /** Keeps a span, with the threshold that it failed. */
    void add(Span span, String threshold) {
        span.declare(threshold);
        spans.add(span);
        bytes += span.bytes();
        while (bytes > MOST_BYTES) bytes -= spans.remove().bytes();
    }

    List<Span> takeAll() {
        List<Span> taken = new ArrayList<>(spans);
        spans.clear();
        bytes = 0;
        return taken;
    }
}
