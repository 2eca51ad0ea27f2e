package firsthop.okhttp;

import firsthop.Phase;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * When the callbacks of one call came, and the phases that follow ({@code PHASES.md}, "Android: OkHttp"). Callbacks repeat after
 * redirects, retries and lost races, and those of a lost race come from other threads: hence the lock. Times are µs.
 */
final class CallStamps {
    private static final long NONE = Long.MIN_VALUE;

    private final FirstByte firstByte;
    private final long callStart;
    private long queueStart = NONE;
    private long queueEnd = NONE;
    private long dnsStart = NONE;
    private long dnsEnd = NONE;
    private long secureStart = NONE;
    private long secureEnd = NONE;
    private long requestStart = NONE;
    private long requestEnd = NONE;
    private long responseStart = NONE;
    private long headersEnd = NONE;
    private long bodyEnd = NONE;
    private long redirectEnd = NONE;
    private boolean fromCache;
    private final Map<Object, Handshake> handshakes = new HashMap<>();
    /** That of the connection which carries the request; null: it was there before. */
    private Handshake own;

    /** Which callback says that the first byte of the answer is there. */
    enum FirstByte {
        /** From OkHttp 4.3 on. */
        HEADERS_START,
        /** Before, the start came when OkHttp was ready to read. */
        HEADERS_END,
        /** The version cannot be told. */
        UNKNOWN
    }

    private static final class Handshake {
        final long start;
        long end = NONE;
        long secureStart = NONE;
        long secureEnd = NONE;

        Handshake(long start) {
            this.start = start;
        }
    }

    CallStamps(FirstByte firstByte, long callStart) {
        this.firstByte = firstByte;
        this.callStart = callStart;
    }

    synchronized void queueStart(long now) {
        queueStart = now;
    }

    synchronized void queueEnd(long now) {
        queueEnd = now;
    }

    synchronized void dnsStart(long now) {
        anotherRequest();
        dnsStart = now;
        dnsEnd = NONE;
    }

    synchronized void dnsEnd(long now) {
        dnsEnd = now;
    }

    synchronized void connectStart(Object address, long now) {
        anotherRequest();
        handshakes.put(address, new Handshake(now));
    }

    synchronized void secureStart(long now) {
        secureStart = now;
        secureEnd = NONE;
    }

    synchronized void secureEnd(long now) {
        secureEnd = now;
    }

    synchronized void connectEnd(Object address, long now) {
        Handshake handshake = handshakes.get(address);
        if (handshake == null) return;
        handshake.end = now;
        // TLS is made with one address at a time; an older stamp is that of an address that failed.
        if (secureStart < handshake.start) return;
        handshake.secureStart = secureStart;
        handshake.secureEnd = secureEnd;
    }

    synchronized void connectFailed(Object address) {
        handshakes.remove(address);
    }

    /** @param isNew whether no call had this connection before: else another's handshake made it, whatever this call began */
    synchronized void acquired(Object address, boolean isNew) {
        anotherRequest();
        Handshake handshake = handshakes.remove(address);
        own = isNew ? handshake : null;
        requestStart = NONE;
        requestEnd = NONE;
        responseStart = NONE;
    }

    synchronized void requestStart(long now) {
        anotherRequest();
        requestStart = now;
        requestEnd = NONE;
        responseStart = NONE;
    }

    synchronized void requestEnd(long now) {
        requestEnd = now;
    }

    synchronized void responseStart(long now) {
        responseStart = now;
    }

    synchronized void headersEnd(long now) {
        headersEnd = now;
    }

    synchronized void bodyEnd(long now) {
        bodyEnd = now;
    }

    /** The cache answered, and the network was not asked. */
    synchronized void fromCache() {
        anotherRequest();
        fromCache = true;
    }

    /** Whether the head of an answer to the last request has come. */
    synchronized boolean isAnswered() {
        return headersEnd != NONE || fromCache;
    }

    synchronized boolean usedNetwork() {
        return requestStart != NONE || dnsStart != NONE || !handshakes.isEmpty() || redirectEnd != NONE;
    }

    /** The last byte of the body, or where that never came, {@code now}. */
    synchronized long end(long now) {
        return bodyEnd == NONE ? now : bodyEnd;
    }

    /** After an answer, a further step on the network is that of another request: a redirect, or with credentials. */
    private void anotherRequest() {
        if (headersEnd == NONE) return;
        redirectEnd = headersEnd;
        dnsStart = dnsEnd = secureStart = secureEnd = requestStart = requestEnd = responseStart = headersEnd = bodyEnd = NONE;
        handshakes.clear();
        own = null;
    }

    synchronized Map<Phase, Long> phases(boolean https) {
        Map<Phase, Long> phases = new EnumMap<>(Phase.class);
        for (Phase phase : Phase.values()) phases.put(phase, Phase.UNKNOWN);
        if (redirectEnd != NONE) phases.put(Phase.REDIRECT, between(callStart, redirectEnd));
        else if (isAnswered()) phases.put(Phase.REDIRECT, Phase.REUSED);
        // The queue was before the first request: after redirects it is a part of them.
        if (redirectEnd == NONE) phases.put(Phase.BLOCKED, between(queueStart, queueEnd));
        if (fromCache) {
            for (Phase phase : new Phase[] {Phase.DNS, Phase.TCP, Phase.TLS, Phase.REQUEST, Phase.TTFB}) {
                phases.put(phase, Phase.REUSED);
            }
            return phases;
        }
        boolean connected = requestStart != NONE;
        phases.put(Phase.DNS, dnsStart == NONE && connected ? Phase.REUSED : between(dnsStart, dnsEnd));
        if (own != null) {
            boolean secure = own.secureStart != NONE;
            phases.put(Phase.TCP, secure || !https ? between(own.start, secure ? own.secureStart : own.end) : Phase.UNKNOWN);
            phases.put(Phase.TLS, secure || https ? between(own.secureStart, own.secureEnd) : Phase.REUSED);
        } else if (connected) {
            phases.put(Phase.TCP, Phase.REUSED);
            phases.put(Phase.TLS, Phase.REUSED);
        }
        phases.put(Phase.REQUEST, between(requestStart, requestEnd));
        if (headersEnd == NONE || firstByte == FirstByte.UNKNOWN) return phases;
        long first = firstByte == FirstByte.HEADERS_START ? responseStart : headersEnd;
        phases.put(Phase.TTFB, between(requestEnd, first));
        if (first >= requestEnd) phases.put(Phase.DOWNLOAD, between(first, bodyEnd));
        return phases;
    }

    /** Unknown where an end was not seen, or they contradict each other: an interim answer before the request was sent, say. */
    private static long between(long from, long to) {
        return from == NONE || to == NONE || to < from ? Phase.UNKNOWN : to - from;
    }
}
