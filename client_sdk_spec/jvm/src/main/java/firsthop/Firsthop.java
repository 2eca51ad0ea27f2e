package firsthop;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * The client: takes spans from any thread, and sends them in batches from one of its own. No method but {@link #close} waits,
 * none throws.
 */
public final class Firsthop {
    private static final long CLOSE_MS = 5_000;

    private final Options options;
    private final DeviceClock clock;
    private final Session session;
    private final DropCounters drops = new DropCounters();
    private final Inbox inbox = new Inbox();
    final Worker worker;
    private final Thread thread;
    private final AtomicBoolean flush = new AtomicBoolean();
    private final AtomicBoolean report = new AtomicBoolean();
    private volatile boolean closing;

    private Firsthop(Options options, boolean ownThread) {
        this.options = options;
        if (options.transport == null) options.transport = new HttpTransport(options.clocks);
        Storage storage = options.directory == null ? null : DiskStorage.open(options.directory);
        if (storage == null) storage = new Storage.Memory();
        ClockNote clockNote = new ClockNote(options.clocks, options.random, storage);
        clock = clockNote.clock;
        session = new Session(options.random, options.wholeSessions, options.consent);
        worker = new Worker(options, storage, clockNote, session, inbox, drops);
        thread = ownThread ? new Thread(new Loop(), "firsthop") : null;
    }

    /** Begins. One client for an app, and for a directory. */
    public static Firsthop start(Options options) {
        Firsthop client = new Firsthop(options, true);
        client.inbox.readBy(client.thread);
        client.thread.setDaemon(true);
        client.thread.start();
        return client;
    }

    /** Without a thread: {@link #step} stands for it. */
    static Firsthop stepped(Options options) {
        return new Firsthop(options, false);
    }

    /** A span that begins now: of a trace of its own, an operation inside the app unless told otherwise. */
    public Span span(String name) {
        Span span = new Span(this).trace(Hex.random(options.random)).signal(Signal.OPERATION).kind(1);
        return begun(span, name);
    }

    Span child(Span parent, String name) {
        Span span = new Span(this).trace(parent.trace()).signal(Signal.OPERATION).kind(1);
        return begun(span.set(Column.PARENT_SPAN_ID, parent.number(Column.SPAN_ID)), name);
    }

    private Span begun(Span span, String name) {
        span.set(Column.NAME, name == null || name.isEmpty() ? "?" : name);
        span.set(Column.SPAN_ID, session.spanId());
        span.set(Column.START, clock.read());
        span.epoch = clock.epoch();
        return span;
    }

    /** Hands a span over, as {@link Span#end} does: it ends now, unless it was {@link Span#timed}. */
    public void record(Span span) {
        long nowUs = clock.read();
        if (span.number(Column.DURATION) == Span.ABSENT) {
            span.set(Column.DURATION, Math.max(nowUs - span.number(Column.START), 0));
        }
        if (!span.seal()) return;
        if (closing) return;
        span.context = session.at(options.clocks.wallMicros(), nowUs);
        if (!span.context.randomness.isEmpty()) span.declareRandomness(span.context.randomness);
        if (options.onlyAgreed && span.context.isWithoutConsent()) drops.add(DropCounters.CONSENT, 1);
        else if (!inbox.offer(span)) drops.add(DropCounters.QUEUE_OVERFLOW, 1);
    }

    /** The user has answered; what was recorded before goes with the answer before. */
    public void setConsent(Consent consent) {
        session.consent(consent);
    }

    /** How the device is connected, in the app's words: {@code wifi}, {@code 4g}, … */
    public void setNetwork(String network) {
        session.network(network == null ? "" : network);
    }

    /**
     * The user reported a problem: the last spans that sampling left out are sent after all, and the rest of the session
     * whole.
     */
    public void reportProblem() {
        session.report();
        report.set(true);
        inbox.wake();
    }

    /** Sends what is there soon, and keeps the rest: to be called when the app goes to the background. */
    public void flush() {
        flush.set(true);
        inbox.wake();
    }

    /** Sends or keeps what is there, and ends; waits for that, for 5 s at most. Later spans are not taken. */
    public void close() {
        closing = true;
        inbox.wake();
        if (thread == null) return;
        try {
            thread.join(CLOSE_MS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** The monotonic clock, in µs: for {@link Span#timed}. */
    public long monoMicros() {
        return options.clocks.monoMicros();
    }

    /** Whether this address is the edge's: its requests are not traced. */
    public boolean isEdge(String url) {
        return url.startsWith(options.endpoint + "/");
    }

    long step() {
        return worker.step(flush.getAndSet(false), report.getAndSet(false));
    }

    void shut() {
        worker.close();
    }

    private final class Loop implements Runnable {
        @Override
        public void run() {
            while (!closing) {
                long waitUs;
                try {
                    waitUs = step();
                } catch (RuntimeException bug) {
                    waitUs = 1_000_000; // an app does not fall for its telemetry
                }
                if (waitUs > 0) LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(waitUs));
            }
            long giveUpUs = monoMicros() + TimeUnit.MILLISECONDS.toMicros(CLOSE_MS);
            try {
                flush.set(true);
                step();
                while (!worker.mustWait() && monoMicros() < giveUpUs) step();
            } finally {
                shut();
            }
        }
    }
}
