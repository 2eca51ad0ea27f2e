package firsthop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The sender through the traces of the specification: real queue, real bodies, time and chance of the trace. */
class RetryTest {
    private static final long WALL_US = 1_790_000_000_000_000L;

    private final FakeClocks clocks = new FakeClocks();
    private final DropCounters drops = new DropCounters();
    private final BatchQueue queue = new BatchQueue(new Storage.Memory(), drops);
    private final Map<String, String> namesByRows = new HashMap<>();
    private final Map<String, byte[]> bodies = new HashMap<>();
    private final List<String> attempts = new ArrayList<>();

    static Set<String> cases() throws IOException {
        return Spec.json("vectors/retry.json").getAsJsonObject("cases").keySet();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_trace_goes_as_the_vectors_say(String name) throws IOException {
        JsonObject trace = Spec.json("vectors/retry.json").getAsJsonObject("cases").getAsJsonObject(name);
        JsonObject expected = trace.getAsJsonObject("expected");
        clocks.wallUs = WALL_US;
        for (JsonElement each : trace.getAsJsonArray("batches")) {
            JsonObject batch = each.getAsJsonObject();
            put(batch.get("id").getAsString(), batch.get("spans").getAsInt(), batch.get("sealed_us").getAsLong());
        }
        nameHalves(expected.getAsJsonObject("splits"));
        RetrySchedule schedule = new RetrySchedule(chances(trace.getAsJsonArray("chances")));
        Answers answers = new Answers(trace.getAsJsonArray("answers"));
        Options options = new Options("https://edge.example", "key").clocks(clocks).transport(answers);
        DeviceClock clock = new DeviceClock(clocks, java.util.Arrays.asList("b1").iterator(), null, false);
        Sender sender = new Sender(options, clock, queue, schedule);

        long nextUs = 0;
        while (nextUs != Long.MAX_VALUE) {
            clocks.pass(Math.max(nextUs - clocks.monoUs, 0));
            // The last answer was the last that the trace tells of.
            if (answers.areGone() && clocks.monoUs >= nextUs && attemptWouldBeMade(schedule)) break;
            nextUs = sender.attempt();
        }

        List<String> told = new ArrayList<>();
        for (JsonElement each : expected.getAsJsonArray("attempts")) {
            told.add(each.getAsJsonObject().get("at_us").getAsLong() + " " + each.getAsJsonObject().get("batch").getAsString());
        }
        assertEquals(told, attempts);
        Map<String, Long> dropped = new TreeMap<>();
        for (Map.Entry<String, JsonElement> each : expected.getAsJsonObject("dropped").entrySet()) {
            dropped.put(each.getKey(), each.getValue().getAsLong());
        }
        assertEquals(dropped, new TreeMap<>(drops.pending()));
        assertEquals(expected.get("stopped").getAsBoolean(), schedule.stopped);
        assertEquals(names(expected.getAsJsonArray("left")), left());
        if (!expected.get("next_us").isJsonNull()) assertEquals(expected.get("next_us").getAsLong(), nextUs);
        else assertEquals(Long.MAX_VALUE, nextUs);
    }

    private boolean attemptWouldBeMade(RetrySchedule schedule) {
        return queue.size() > 0 && !schedule.stopped && clocks.monoUs >= schedule.notBeforeUs;
    }

    private void put(String name, int count, long sealedUs) {
        List<Span> spans = new ArrayList<>();
        for (int row = 0; row < count; row++) spans.add(Rows.span(name, row));
        namesByRows.put(name + " 0-" + count, name);
        UUID id = Hex.random(new Random(name.hashCode()));
        byte[] body = Encoder.encode(id, new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>(), spans);
        queue.add(new SealedBatch(
                id, Rank.ORDINARY, count, "b1", 0, new LinkedHashMap<>(), Compression.deflate(body), WALL_US + sealedUs, -1));
    }

    /** Batch → its two halves, told apart by the rows of the first batch that they hold. */
    private void nameHalves(JsonObject splits) {
        for (Map.Entry<String, JsonElement> split : splits.entrySet()) {
            String rows = null;
            for (Map.Entry<String, String> known : namesByRows.entrySet()) {
                if (known.getValue().equals(split.getKey())) rows = known.getKey();
            }
            String[] parts = rows.split("[ -]");
            int first = Integer.parseInt(parts[1]);
            for (JsonElement half : split.getValue().getAsJsonArray()) {
                JsonArray range = half.getAsJsonObject().getAsJsonArray("rows");
                String key = parts[0] + " " + (first + range.get(0).getAsInt()) + "-" + (first + range.get(1).getAsInt());
                namesByRows.put(key, half.getAsJsonObject().get("id").getAsString());
            }
        }
    }

    private List<String> left() throws IOException {
        List<String> left = new ArrayList<>();
        for (BatchQueue.Entry entry; (entry = queue.next(false)) != null; queue.remove(entry)) {
            left.add(namesByRows.get(Rows.of(new FakeEdge.Received(queue.read(entry).body))));
        }
        return left;
    }

    private static List<String> names(JsonArray texts) {
        List<String> names = new ArrayList<>();
        for (JsonElement text : texts) names.add(text.getAsString());
        return names;
    }

    private static Random chances(JsonArray told) {
        return new Random(0) {
            private static final long serialVersionUID = 1L;
            private int used;

            @Override
            public double nextDouble() {
                return told.get(used++).getAsDouble();
            }
        };
    }

    private final class Answers implements Transport {
        private final JsonArray told;
        private int used;

        Answers(JsonArray told) {
            this.told = told;
        }

        boolean areGone() {
            return used == told.size();
        }

        @Override
        public Answer send(Request request) throws IOException {
            String name = namesByRows.get(Rows.of(new FakeEdge.Received(request.body)));
            attempts.add(clocks.monoUs + " " + name);
            if (bodies.containsKey(name)) assertArrayEquals(bodies.get(name), request.body, "the same id, other bytes");
            bodies.put(name, request.body);
            JsonObject answer = told.get(used++).getAsJsonObject();
            clocks.pass(answer.get("after_us").getAsLong());
            if (answer.has("failure")) throw new IOException(answer.get("failure").getAsString());
            return new Answer(answer.get("status").getAsInt(), "not even JSON".getBytes("UTF-8")) {
                @Override
                public String header(String header) {
                    JsonElement value = answer.get(header.toLowerCase(java.util.Locale.ROOT).replace('-', '_'));
                    return value == null ? null : value.getAsString();
                }
            };
        }
    }
}
