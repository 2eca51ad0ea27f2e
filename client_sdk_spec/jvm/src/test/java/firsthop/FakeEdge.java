package firsthop;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An edge in memory: answers as told, else 202, and reads what it accepted. */
public final class FakeEdge implements Transport {
    /** A batch as it came. */
    static final class Received {
        final String id;
        final String query;
        final byte[] body;
        final Map<?, ?> map;

        Received(Request request) {
            this(request.body, request.url.substring(request.url.indexOf('?') + 1));
        }

        Received(byte[] body) {
            this(body, "");
        }

        private Received(byte[] body, String query) {
            this.body = body;
            this.query = query;
            try {
                map = (Map<?, ?>) MessagePack.unpack(Compression.inflate(body, 1 << 22));
            } catch (Exception broken) {
                throw new AssertionError(broken);
            }
            ByteBuffer bytes = ByteBuffer.wrap((byte[]) map.get("id"));
            id = Hex.of(bytes.getLong()) + Hex.of(bytes.getLong());
        }

        int spans() {
            return ((Long) map.get("n")).intValue();
        }

        Map<?, ?> part(String name) {
            Map<?, ?> part = (Map<?, ?>) map.get(name);
            return part == null ? new HashMap<>() : part;
        }

        /** Each span: column → Long or text, and the attributes under their keys. */
        List<Map<String, Object>> rows() {
            List<Map<String, Object>> rows = new ArrayList<>();
            List<?> strings = (List<?>) map.get("strings");
            for (int row = 0; row < spans(); row++) {
                Map<String, Object> read = new LinkedHashMap<>();
                for (Column column : Column.ALL) {
                    byte[] blob = (byte[]) part("cols").get(column.wire);
                    if (blob == null) continue;
                    ByteBuffer words = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
                    if (column.type == Column.Type.ID) {
                        read.put(column.wire, Hex.of(ByteBuffer.wrap(blob).getLong(8 * row)));
                        continue;
                    }
                    long value = words.getInt(4 * row) & 0xffffffffL;
                    if (value > Encoder.ESCAPE) value = (int) value;
                    if (value == Encoder.ESCAPE) value = escaped(column.wire, row);
                    if (column == Column.START) value += (Long) part("clock").get("base_us");
                    boolean text = column.type == Column.Type.TEXT;
                    read.put(column.wire, text ? value == 0 ? "" : strings.get((int) value - 1) : (Object) value);
                }
                rows.add(read);
            }
            addAttributes(rows, strings);
            return rows;
        }

        private void addAttributes(List<Map<String, Object>> rows, List<?> strings) {
            if (!map.containsKey("attrs")) return;
            ByteBuffer owner = ByteBuffer.wrap((byte[]) part("attrs").get("span")).order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer key = ByteBuffer.wrap((byte[]) part("attrs").get("key")).order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer value = ByteBuffer.wrap((byte[]) part("attrs").get("value")).order(ByteOrder.LITTLE_ENDIAN);
            while (owner.hasRemaining()) {
                Map<String, Object> row = rows.get(owner.getInt());
                row.put((String) strings.get(key.getInt() - 1), strings.get(value.getInt() - 1));
            }
        }

        private long escaped(String column, long row) {
            for (Object pair : (List<?>) part("big").get(column)) {
                if ((Long) ((List<?>) pair).get(0) == row) return (Long) ((List<?>) pair).get(1);
            }
            throw new AssertionError("no escape for " + column);
        }
    }

    /** What the next attempts get: a status, or an exception for none; when empty 202. */
    final ArrayDeque<Object> answers = new ArrayDeque<>();
    final Map<String, String> headers = new HashMap<>();
    final List<Received> attempts = new ArrayList<>();
    final List<Received> accepted = new ArrayList<>();
    final List<Request> configRequests = new ArrayList<>();
    /** Null: 404. */
    String config;
    /** Whether the configuration is asked for at all by what the test looks at. */
    int configStatus = 200;

    @Override
    public synchronized Answer send(Request request) throws IOException {
        if (request.method.equals("GET")) {
            configRequests.add(request);
            if (config == null) throw new IOException("no configuration here");
            return answer(configStatus, config);
        }
        Received received = new Received(request);
        attempts.add(received);
        Object told = answers.isEmpty() ? (Object) 202 : answers.remove();
        if (told instanceof IOException) throw (IOException) told;
        int status = (Integer) told;
        if (status == 202) accepted.add(received);
        return answer(status, "{\"accepted\":" + received.spans() + ",\"rejected\":{}}");
    }

    private Answer answer(int status, String body) {
        final Map<String, String> told = new HashMap<>(headers);
        return new Answer(status, body.getBytes(StandardCharsets.UTF_8)) {
            @Override
            public String header(String name) {
                return told.get(name);
            }
        };
    }

    synchronized List<Map<String, Object>> rows() {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Received each : accepted) rows.addAll(each.rows());
        return rows;
    }
}
