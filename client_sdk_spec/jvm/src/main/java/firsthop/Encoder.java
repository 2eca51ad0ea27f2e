package firsthop;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Spans as the map of {@code WIRE.md}, ready for {@link MessagePack}: what {@code encoder.py} writes, byte for byte.
 */
final class Encoder {
    /** Stands in a u32 column for a number that does not fit; the number is in {@code big}. */
    static final long ESCAPE = (1L << 32) - 3;

    private final List<Span> spans;
    private final List<String> strings = new ArrayList<>();
    private final Map<String, Long> codes = new LinkedHashMap<>();
    private final Map<UUID, Long> traces = new LinkedHashMap<>();
    private final Map<String, Object> big = new LinkedHashMap<>();

    private Encoder(List<Span> spans) {
        this.spans = spans;
        codes.put("", 0L);
        for (Span span : spans) {
            if (!span.trace().equals(Span.NO_TRACE) && !traces.containsKey(span.trace())) {
                traces.put(span.trace(), (long) traces.size());
            }
        }
    }

    /**
     * One batch, not compressed.
     *
     * @param resource who sends, in the order in which it is written
     * @param clock the {@code clock} map but for its base
     * @param dropped reason → count
     */
    static byte[] encode(
            UUID id, Map<String, ?> resource, Map<String, ?> clock, Map<String, Long> dropped, List<Span> spans) {
        return MessagePack.pack(new Encoder(spans).body(id, resource, clock, dropped));
    }

    private Map<String, Object> body(
            UUID id, Map<String, ?> resource, Map<String, ?> clock, Map<String, Long> dropped) {
        long baseUs = baseUs();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("v", 1L);
        body.put("id", Hex.bytes(id));
        body.put("n", (long) spans.size());
        body.put("resource", resource);
        Map<String, Object> based = new LinkedHashMap<String, Object>(clock);
        based.put("base_us", baseUs);
        body.put("clock", based);
        body.put("traces", traceTable());
        body.put("cols", columns(baseUs));
        putUnlessEmpty(body, "attrs", attributes());
        putUnlessEmpty(body, "events", events());
        putUnlessEmpty(body, "links", links());
        body.put("strings", strings);
        if (!dropped.isEmpty()) body.put("dropped", dropped);
        if (!big.isEmpty()) body.put("big", big);
        return body;
    }

    private long baseUs() {
        long least = Long.MAX_VALUE;
        for (Span span : spans) {
            long start = span.value(Column.START);
            if (start != Phase.REUSED && start != Phase.UNKNOWN) least = Math.min(least, start);
        }
        return least == Long.MAX_VALUE ? 0 : least;
    }

    private byte[] traceTable() {
        byte[] table = new byte[16 * traces.size()];
        int at = 0;
        for (UUID trace : traces.keySet()) {
            System.arraycopy(Hex.bytes(trace), 0, table, at, 16);
            at += 16;
        }
        return table;
    }

    /** Every column that any span has. */
    private Map<String, Object> columns(long baseUs) {
        Map<String, Object> columns = new LinkedHashMap<>();
        for (Column column : Column.ALL) {
            if (!isPresent(column)) continue;
            columns.put(column.wire, column.type == Column.Type.ID ? ids(column) : words(column, baseUs));
        }
        return columns;
    }

    private boolean isPresent(Column column) {
        if (column.type == Column.Type.ROW) return !traces.isEmpty();
        for (Span span : spans) {
            boolean given = column.type == Column.Type.TEXT ? span.text(column) != null : span.number(column) != Span.ABSENT;
            if (given) return true;
        }
        return false;
    }

    private byte[] ids(Column column) {
        byte[] blob = new byte[8 * spans.size()];
        for (int row = 0; row < spans.size(); row++) Hex.put(blob, 8 * row, spans.get(row).value(column));
        return blob;
    }

    private byte[] words(Column column, long baseUs) {
        long[] values = new long[spans.size()];
        for (int row = 0; row < values.length; row++) {
            Span span = spans.get(row);
            if (column.type == Column.Type.ROW) {
                Long index = traces.get(span.trace());
                values[row] = index == null ? Phase.UNKNOWN : index;
            } else if (column.type == Column.Type.TEXT) {
                values[row] = code(span.text(column));
            } else {
                long value = span.value(column);
                boolean isMark = value == Phase.REUSED || value == Phase.UNKNOWN;
                values[row] = column == Column.START && !isMark ? value - baseUs : value;
            }
        }
        return blob(column.wire, values);
    }

    private long code(String text) {
        Long code = codes.get(text == null ? "" : text);
        if (code != null) return code;
        strings.add(text);
        codes.put(text, (long) strings.size());
        return strings.size();
    }

    private Map<String, Object> attributes() {
        Rows rows = new Rows("attrs");
        for (int row = 0; row < spans.size(); row++) {
            List<String> pairs = spans.get(row).attributes();
            for (int i = 0; i < pairs.size(); i += 2) rows.add(row, i);
        }
        // All keys get their codes before the first value does, as in the reference.
        long[] keys = new long[rows.size()];
        for (int i = 0; i < keys.length; i++) keys[i] = code(spans.get(rows.span(i)).attributes().get(rows.at(i)));
        long[] values = new long[rows.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = code(spans.get(rows.span(i)).attributes().get(rows.at(i) + 1));
        }
        return rows.table("key", keys, "value", values);
    }

    private Map<String, Object> events() {
        Rows rows = new Rows("events");
        for (int row = 0; row < spans.size(); row++) {
            for (int i = 0; i < spans.get(row).events().size(); i++) rows.add(row, i);
        }
        long[] names = new long[rows.size()];
        long[] offsets = new long[rows.size()];
        for (int i = 0; i < names.length; i++) {
            Span.Event event = spans.get(rows.span(i)).events().get(rows.at(i));
            names[i] = code(event.name);
            offsets[i] = event.offsetUs;
        }
        return rows.table("name", names, "offset_us", offsets);
    }

    private Map<String, Object> links() {
        Rows rows = new Rows("links");
        for (int row = 0; row < spans.size(); row++) {
            for (int i = 0; i < spans.get(row).links().size(); i++) rows.add(row, i);
        }
        byte[] traceIds = new byte[16 * rows.size()];
        byte[] spanIds = new byte[8 * rows.size()];
        for (int i = 0; i < rows.size(); i++) {
            Span.Link link = spans.get(rows.span(i)).links().get(rows.at(i));
            System.arraycopy(Hex.bytes(link.traceId), 0, traceIds, 16 * i, 16);
            Hex.put(spanIds, 8 * i, link.spanId);
        }
        Map<String, Object> table = new LinkedHashMap<>();
        table.put("span", rows.owners());
        table.put("trace_id", traceIds);
        table.put("span_id", spanIds);
        return table;
    }

    /** What belongs to spans: in which row its owner is, and where in the owner it stands. */
    private final class Rows {
        private final String name;
        private int[] pairs = new int[16];
        private int used;

        Rows(String name) {
            this.name = name;
        }

        void add(int row, int at) {
            if (used + 2 > pairs.length) pairs = Arrays.copyOf(pairs, 2 * pairs.length);
            pairs[used++] = row;
            pairs[used++] = at;
        }

        int size() {
            return used / 2;
        }

        int span(int i) {
            return pairs[2 * i];
        }

        int at(int i) {
            return pairs[2 * i + 1];
        }

        byte[] owners() {
            long[] owners = new long[size()];
            for (int i = 0; i < owners.length; i++) owners[i] = span(i);
            return blob(name + ".span", owners);
        }

        Map<String, Object> table(String first, long[] firstValues, String second, long[] secondValues) {
            Map<String, Object> table = new LinkedHashMap<>();
            table.put("span", owners());
            table.put(first, blob(name + "." + first, firstValues));
            table.put(second, blob(name + "." + second, secondValues));
            return table;
        }
    }

    private static void putUnlessEmpty(Map<String, Object> body, String name, Map<String, Object> table) {
        if (((byte[]) table.get("span")).length > 0) body.put(name, table);
    }

    private byte[] blob(String name, long[] values) {
        ByteBuffer blob = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        List<Object> escaped = new ArrayList<>();
        for (int row = 0; row < values.length; row++) {
            long value = values[row];
            boolean fits = value >= 0 && value < ESCAPE || value == Phase.REUSED || value == Phase.UNKNOWN;
            if (!fits) escaped.add(Arrays.<Object>asList((long) row, value));
            blob.putInt((int) (fits ? value : ESCAPE));
        }
        if (!escaped.isEmpty()) big.put(name, escaped);
        return blob.array();
    }
}
