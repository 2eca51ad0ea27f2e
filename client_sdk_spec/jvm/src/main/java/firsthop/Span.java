package firsthop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/**
 * One thing that was waited for. Made by {@link Firsthop#span}; {@link #end} hands it over, and from then on nothing
 * changes it. One thread at a time may write to it. Nothing here throws or waits.
 *
 * <p>Texts longer than 8,192 characters are cut; of attributes, events and links the first 128 are kept.
 */
public final class Span {
    /** Status of a span that failed. */
    public static final int ERROR = 2;

    static final UUID NO_TRACE = new UUID(0, 0);
    static final long ABSENT = Long.MIN_VALUE;
    private static final int MOST_CHARACTERS = 8192;
    private static final int MOST_OWNED = 128;
    /** The object, its two arrays and the heads of some texts, as a 64-bit VM lays them out. */
    private static final int OWN_BYTES = 640;

    private final Firsthop client;
    private final String[] texts = new String[Column.ALL.length];
    private final long[] numbers = new long[Column.ALL.length];
    private List<String> attributes = Collections.emptyList();
    private List<Event> events = Collections.emptyList();
    private List<Link> links = Collections.emptyList();
    private UUID traceId = NO_TRACE;
    private long characters;
    private boolean ended;
    String epoch = "";
    Context context = Context.NONE;

    /** A moment inside a span. */
    static final class Event {
        final String name;
        final long offsetUs;

        Event(String name, long offsetUs) {
            this.name = name;
            this.offsetUs = offsetUs;
        }
    }

    /** Another span that this one belongs with. */
    static final class Link {
        final UUID traceId;
        final long spanId;

        Link(UUID traceId, long spanId) {
            this.traceId = traceId;
            this.spanId = spanId;
        }
    }

    /** @param client to which it is handed; null only where it is encoded and nothing else. */
    Span(Firsthop client) {
        this.client = client;
        java.util.Arrays.fill(numbers, ABSENT);
    }

    /** What it is about; {@link Signal#OPERATION} if nothing is said. */
    public Span signal(Signal signal) {
        return set(Column.SIGNAL, signal.ordinal());
    }

    /** As OTLP: 1 internal (if nothing is said), 2 server, 3 client, 4 producer, 5 consumer. */
    public Span kind(int kind) {
        return set(Column.KIND, kind);
    }

    /** As OTLP: 0 unset, 1 ok, 2 error. */
    public Span status(int status) {
        return set(Column.STATUS, status);
    }

    /** It failed: status 2, and what kind of failure, for instance {@code SocketTimeoutException}. */
    public Span failed(String type) {
        return status(ERROR).set(Column.ERROR_TYPE, type);
    }

    public Span url(String url) {
        return set(Column.URL, url);
    }

    public Span method(String method) {
        return set(Column.METHOD, method);
    }

    /** The path with its ids replaced, for instance {@code /orders/{id}}. */
    public Span route(String template) {
        return set(Column.ROUTE, template);
    }

    public Span screen(String screen) {
        return set(Column.SCREEN, screen);
    }

    /** As ALPN says it: {@code http/1.1}, {@code h2}, {@code h3}. */
    public Span protocol(String protocol) {
        return set(Column.PROTOCOL, protocol);
    }

    /** 0 when there was no answer. */
    public Span httpStatus(int status) {
        return set(Column.HTTP_STATUS, status);
    }

    public Span requestBytes(long bytes) {
        return set(Column.REQUEST_BYTES, bytes);
    }

    public Span responseBytes(long bytes) {
        return set(Column.RESPONSE_BYTES, bytes);
    }

    /** How long a phase took in µs, or {@link Phase#REUSED}; a negative length is told as unknown. */
    public Span phase(Phase phase, long us) {
        return set(phase.column, us < Phase.REUSED ? Phase.UNKNOWN : us);
    }

    /** Where it did not begin when it was made and end at {@link #end}: µs of {@link Clocks#monoMicros}. */
    public Span timed(long startUs, long durationUs) {
        return set(Column.START, startUs).set(Column.DURATION, durationUs);
    }

    public Span attribute(String key, String value) {
        if (!ended && key != null && value != null && attributes.size() < 2 * MOST_OWNED) {
            attributes = growing(attributes);
            attributes.add(kept(key));
            attributes.add(kept(value));
        }
        return this;
    }

    public Span attribute(String key, long value) {
        return attribute(key, Long.toString(value));
    }

    public Span attribute(String key, double value) {
        return attribute(key, Double.toString(value));
    }

    public Span attribute(String key, boolean value) {
        return attribute(key, Boolean.toString(value));
    }

    /** Something that happened inside, now. */
    public Span event(String name) {
        return client == null ? this : event(name, client.monoMicros() - number(Column.START));
    }

    Span event(String name, long offsetUs) {
        if (!ended && name != null && events.size() < MOST_OWNED) {
            events = growing(events);
            events.add(new Event(kept(name), offsetUs));
        }
        return this;
    }

    Span link(UUID linkedTraceId, long linkedSpanId) {
        if (!ended && links.size() < MOST_OWNED) {
            links = growing(links);
            links.add(new Link(linkedTraceId, linkedSpanId));
        }
        return this;
    }

    /** Begins a part of this one: of the same trace, and below it. */
    public Span child(String name) {
        return client.child(this, name);
    }

    /** The header by which a backend's spans join this one (W3C Trace Context). */
    public String traceparent() {
        return "00-" + Hex.of(traceId) + "-" + Hex.of(number(Column.SPAN_ID)) + "-01";
    }

    /** It is over: hands it to the client. A second call does nothing. */
    public void end() {
        if (client != null) client.record(this);
    }

    /** It was over then, µs of {@link Clocks#monoMicros}: hands it to the client. */
    public void endedAt(long monoUs) {
        set(Column.DURATION, Math.max(monoUs - number(Column.START), 0));
        end();
    }

    Span trace(UUID id) {
        if (!ended) traceId = id;
        return this;
    }

    UUID trace() {
        return traceId;
    }

    Span set(Column column, long value) {
        if (!ended) numbers[column.ordinal()] = value;
        return this;
    }

    Span set(Column column, String text) {
        if (!ended) texts[column.ordinal()] = text == null ? null : kept(text);
        return this;
    }

    long number(Column column) {
        return numbers[column.ordinal()];
    }

    /** The number, or what its absence means. */
    long value(Column column) {
        long number = number(column);
        return number == ABSENT ? column.absent : number;
    }

    /** Null if absent. */
    String text(Column column) {
        return texts[column.ordinal()];
    }

    /** Key, value, key, value, … */
    List<String> attributes() {
        return attributes;
    }

    List<Event> events() {
        return events;
    }

    List<Link> links() {
        return links;
    }

    /** True for the first call alone: from then on nothing changes it. */
    boolean seal() {
        boolean first = !ended;
        ended = true;
        return first;
    }

    /** What the device measured and sampled out may be shown after all: only then is a threshold set on a sealed span. */
    void declare(String threshold) {
        texts[Column.THRESHOLD.ordinal()] = threshold;
    }

    void declareRandomness(String randomness) {
        texts[Column.RANDOMNESS.ordinal()] = randomness;
    }

    /** Where it ended on the monotonic clock. */
    long endUs() {
        return number(Column.START) + Math.max(value(Column.DURATION), 0);
    }

    boolean isError() {
        long http = value(Column.HTTP_STATUS);
        return value(Column.STATUS) == ERROR || http == 0 || http >= 400;
    }

    /** About as much memory as it holds, in bytes. */
    long bytes() {
        return OWN_BYTES + 2 * characters + 64L * (attributes.size() + events.size() + links.size());
    }

    /** About what it takes in a batch, before compression. */
    long encodedBytes() {
        return 140 + characters + 12L * (attributes.size() / 2 + events.size()) + 28L * links.size();
    }

    private String kept(String text) {
        String cut = text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS);
        characters += cut.length();
        return cut;
    }

    private static <T> List<T> growing(List<T> list) {
        return list.isEmpty() ? new ArrayList<T>(4) : list;
    }
}
