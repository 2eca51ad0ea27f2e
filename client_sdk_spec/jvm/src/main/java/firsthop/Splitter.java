package firsthop;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.DataFormatException;

/**
 * Cuts a batch that the edge found too large into two. Their ids follow from the parent's, so that halving it twice, after
 * a process ended in between, gives the same two batches. What the parent had to report of drops goes with the first.
 */
final class Splitter {
    private static final int MOST_BODY = 4 * 1024 * 1024;

    private final int first;
    private final int end;

    /** Rows from {@code first} on, up to but without {@code end}. */
    private Splitter(int first, int end) {
        this.first = first;
        this.end = end;
    }

    /** Null when it cannot be cut: it has one span, or is not what {@link Encoder} writes. */
    static SealedBatch[] halve(SealedBatch batch) {
        int middle = batch.spans / 2;
        if (middle == 0) return null;
        try {
            Map<?, ?> body = (Map<?, ?>) MessagePack.unpack(Compression.inflate(batch.body, MOST_BODY));
            return new SealedBatch[] {
                new Splitter(0, middle).part(batch, body, 1), new Splitter(middle, batch.spans).part(batch, body, 2)
            };
        } catch (DataFormatException | MessagePack.Malformed | RuntimeException foreign) {
            return null;
        }
    }

    private SealedBatch part(SealedBatch parent, Map<?, ?> body, int number) {
        UUID id = id(parent.id, number);
        boolean reports = number == 1;
        Map<String, Object> part = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : body.entrySet()) part.put((String) entry.getKey(), entry.getValue());
        part.put("id", Hex.bytes(id));
        part.put("n", (long) (end - first));
        Map<String, List<Object>> big = new LinkedHashMap<>();
        part.put("cols", columns((Map<?, ?>) body.get("cols"), (Map<?, ?>) body.get("big"), big));
        for (String table : new String[] {"attrs", "events", "links"}) {
            if (body.containsKey(table)) part.put(table, owned(table, (Map<?, ?>) body.get(table), (Map<?, ?>) body.get("big"), big));
        }
        shrink(part, (List<?>) body.get("strings"), (byte[]) body.get("traces"));
        if (!reports) part.remove("dropped");
        if (big.isEmpty()) part.remove("big");
        else part.put("big", big);
        return new SealedBatch(
                id,
                parent.rank,
                end - first,
                parent.epoch,
                parent.nearUs,
                reports ? parent.dropped : new LinkedHashMap<String, Long>(),
                Compression.deflate(MessagePack.pack(part)),
                parent.sealedWallUs,
                reports ? parent.counters : -1);
    }

    private static UUID id(UUID parent, int number) {
        try {
            MessageDigest digest = MessageDigest.getInstance("MD5");
            digest.update(Hex.bytes(parent));
            ByteBuffer id = ByteBuffer.wrap(digest.digest(new byte[] {(byte) number}));
            return new UUID(id.getLong(), id.getLong());
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private Map<String, Object> columns(Map<?, ?> columns, Map<?, ?> escapes, Map<String, List<Object>> big) {
        Map<String, Object> cut = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : columns.entrySet()) {
            String name = (String) entry.getKey();
            int width = name.equals("span_id") || name.equals("parent_span_id") ? 8 : 4;
            cut.put(name, Arrays.copyOfRange((byte[]) entry.getValue(), width * first, width * end));
            keep(escapes, name, first, end, big);
        }
        return cut;
    }

    /** The rows of a table whose spans are in this part. Tables are in the order of their spans, so they are neighbours. */
    private Map<String, Object> owned(String table, Map<?, ?> rows, Map<?, ?> escapes, Map<String, List<Object>> big) {
        ByteBuffer owners = ByteBuffer.wrap((byte[]) rows.get("span")).order(ByteOrder.LITTLE_ENDIAN);
        ByteArrayOutputStream kept = new ByteArrayOutputStream();
        int from = 0;
        int until = 0;
        for (int row = 0; owners.hasRemaining(); row++) {
            int owner = owners.getInt();
            if (owner < first) from = row + 1;
            if (owner < end) until = row + 1;
            if (owner < first || owner >= end) continue;
            int moved = owner - first;
            kept.write(new byte[] {(byte) moved, (byte) (moved >> 8), (byte) (moved >> 16), (byte) (moved >> 24)}, 0, 4);
        }
        Map<String, Object> cut = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : rows.entrySet()) {
            String name = (String) entry.getKey();
            int width = name.equals("trace_id") ? 16 : name.equals("span_id") ? 8 : 4;
            byte[] blob = (byte[]) entry.getValue();
            cut.put(name, name.equals("span") ? kept.toByteArray() : Arrays.copyOfRange(blob, width * from, width * until));
            keep(escapes, table + "." + name, from, until, big);
        }
        return cut;
    }

    /** Leaves in the tables of texts and traces what this part's spans point to: most of a batch is its texts. */
    private static void shrink(Map<String, Object> part, List<?> strings, byte[] traces) {
        Map<Integer, Integer> codes = new LinkedHashMap<>();
        codes.put(0, 0);
        Map<Integer, Integer> rows = new LinkedHashMap<>();
        Map<?, ?> columns = (Map<?, ?>) part.get("cols");
        for (Column column : Column.ALL) {
            if (column.type == Column.Type.TEXT) renumber((byte[]) columns.get(column.wire), codes);
            if (column.type == Column.Type.ROW) renumber((byte[]) columns.get(column.wire), rows);
        }
        for (String[] pointing : new String[][] {{"attrs", "key"}, {"attrs", "value"}, {"events", "name"}}) {
            Map<?, ?> table = (Map<?, ?>) part.get(pointing[0]);
            if (table != null) renumber((byte[]) table.get(pointing[1]), codes);
        }
        List<Object> kept = new ArrayList<>();
        for (int code : codes.keySet()) if (code > 0) kept.add(strings.get(code - 1));
        part.put("strings", kept);
        ByteArrayOutputStream keptTraces = new ByteArrayOutputStream();
        for (int row : rows.keySet()) keptTraces.write(traces, 16 * row, 16);
        part.put("traces", keptTraces.toByteArray());
    }

    /** Replaces each number by its place in {@code places}, where new ones are added; negative ones are marks and stay. */
    private static void renumber(byte[] words, Map<Integer, Integer> places) {
        if (words == null) return;
        ByteBuffer blob = ByteBuffer.wrap(words).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < words.length; at += 4) {
            int number = blob.getInt(at);
            if (number < 0) continue;
            Integer place = places.get(number);
            if (place == null) {
                place = places.size();
                places.put(number, place);
            }
            blob.putInt(at, place);
        }
    }

    private static void keep(Map<?, ?> escapes, String name, int from, int until, Map<String, List<Object>> big) {
        if (escapes == null || !escapes.containsKey(name)) return;
        List<Object> kept = new ArrayList<>();
        for (Object each : (List<?>) escapes.get(name)) {
            List<?> pair = (List<?>) each;
            long row = (Long) pair.get(0);
            if (row >= from && row < until) kept.add(Arrays.asList(row - from, pair.get(1)));
        }
        if (!kept.isEmpty()) big.put(name, kept);
    }
}
