package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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

/** The queue and the drop counters against the vectors. */
class QueueTest {
    private static final long WALL_US = 1_790_000_000_000_000L;

    /** Batches are named by the epoch that they claim, which the queue does not look at. */
    private final Map<String, SealedBatch> batches = new HashMap<>();

    private final DropCounters drops = new DropCounters();

    static Set<String> queues() throws IOException {
        return Spec.json("vectors/eviction.json").getAsJsonObject("queues").keySet();
    }

    static Set<String> counters() throws IOException {
        return Spec.json("vectors/eviction.json").getAsJsonObject("counters").keySet();
    }

    @ParameterizedTest
    @MethodSource("queues")
    void a_queue_holds_what_the_vectors_say(String name) throws IOException {
        assumeFalse(
                Arrays.asList("in_flight_stays", "in_flight_does_not_expire").contains(name),
                name + ": this client's one thread puts no batch into the queue while one is in flight");
        assumeFalse(name.equals("ranks"), name + ": this client samples by rate and has no sketches to rank");
        JsonObject told = Spec.json("vectors/eviction.json").getAsJsonObject("queues").getAsJsonObject(name);
        BatchQueue queue = new BatchQueue(new Exactly(told.get("capacity").getAsLong()), drops);
        for (JsonElement each : told.getAsJsonArray("events")) {
            JsonObject event = each.getAsJsonObject();
            if (event.has("put")) queue.add(sealed(event.getAsJsonObject("put")));
            if (!event.has("answer") || event.get("fate").getAsString().equals("later")) continue;
            BatchQueue.Entry entry = queue.next(false);
            assertEquals(event.get("answer").getAsString(), queue.read(entry).epoch);
            if (event.get("fate").getAsString().equals("accepted")) queue.remove(entry);
            else queue.drop(entry, queue.read(entry), event.get("fate").getAsString());
        }
        JsonObject expected = told.getAsJsonObject("expected");
        assertEquals(counts(expected.getAsJsonObject("dropped")), new TreeMap<>(drops.pending()));
        List<String> held = new ArrayList<>();
        for (BatchQueue.Entry entry; (entry = queue.next(false)) != null; queue.remove(entry)) {
            held.add(queue.read(entry).epoch);
        }
        List<String> wanted = new ArrayList<>();
        for (JsonElement id : expected.getAsJsonArray("held")) wanted.add(id.getAsString());
        assertEquals(wanted, held);
    }

    private SealedBatch sealed(JsonObject put) {
        Rank rank = Rank.valueOf(put.get("rank").getAsString().toUpperCase(java.util.Locale.ROOT));
        int bytes = put.get("bytes").getAsInt();
        long sealedUs = WALL_US + put.get("sealed_us").getAsLong();
        return batch(put.get("id").getAsString(), rank, put.get("spans").getAsInt(), new LinkedHashMap<>(), bytes, sealedUs);
    }

    private static SealedBatch batch(
            String name, Rank rank, int spans, Map<String, Long> dropped, int bytes, long sealedUs) {
        UUID id = Hex.random(new Random(name.hashCode()));
        return new SealedBatch(id, rank, spans, name, 0, dropped, new byte[bytes], sealedUs, -1);
    }

    @ParameterizedTest
    @MethodSource("counters")
    void counters_are_told_as_the_vectors_say(String name) throws IOException {
        JsonObject told = Spec.json("vectors/eviction.json").getAsJsonObject("counters").getAsJsonObject(name);
        Map<String, Long> arrived = new TreeMap<>();
        for (JsonElement each : told.getAsJsonArray("events")) {
            JsonObject event = each.getAsJsonObject();
            if (event.has("drop")) {
                drops.add(event.get("drop").getAsString(), event.get("spans").getAsLong());
            } else if (event.has("seal")) {
                Map<String, Long> carried = drops.pending();
                drops.taken(carried);
                assertEquals(counts(event.getAsJsonObject("carries")), new TreeMap<>(carried));
                String id = event.get("seal").getAsString();
                batches.put(id, batch(id, Rank.ORDINARY, event.get("spans").getAsInt(), carried, 0, WALL_US));
            } else if (event.has("halve")) {
                halve(event);
            } else {
                end(batches.get(event.get("end").getAsString()), event.get("fate").getAsString(), arrived);
            }
        }
        JsonObject expected = told.getAsJsonObject("expected");
        assertEquals(counts(expected.getAsJsonObject("told")), arrived);
        assertEquals(counts(expected.getAsJsonObject("untold")), new TreeMap<>(drops.pending()));
    }

    private void end(SealedBatch batch, String fate, Map<String, Long> arrived) {
        if (fate.equals("later")) return;
        if (!fate.equals("accepted")) drops.lose(batch, fate);
        else batch.dropped.forEach((reason, count) -> arrived.merge(reason, count, Long::sum));
    }

    private void halve(JsonObject event) {
        SealedBatch parent = batches.get(event.get("halve").getAsString());
        List<Span> spans = new ArrayList<>();
        for (int row = 0; row < parent.spans; row++) spans.add(Rows.span("a", row));
        byte[] body = Encoder.encode(parent.id, new LinkedHashMap<>(), new LinkedHashMap<>(), parent.dropped, spans);
        SealedBatch[] halves = Splitter.halve(new SealedBatch(
                parent.id, parent.rank, parent.spans, "a", 0, parent.dropped, Compression.deflate(body), WALL_US, -1));
        for (int i = 0; i < 2; i++) {
            JsonObject half = event.getAsJsonArray("halves").get(i).getAsJsonObject();
            assertEquals(half.get("spans").getAsInt(), halves[i].spans);
            batches.put(half.get("id").getAsString(), halves[i]);
        }
    }

    private static Map<String, Long> counts(JsonObject told) {
        Map<String, Long> counts = new TreeMap<>();
        for (Map.Entry<String, JsonElement> each : told.entrySet()) counts.put(each.getKey(), each.getValue().getAsLong());
        return counts;
    }

    /** Memory of so many bytes, in which a batch takes exactly those of its body. */
    private static final class Exactly extends Storage.Memory {
        private final long mostBytes;

        Exactly(long mostBytes) {
            this.mostBytes = mostBytes;
        }

        @Override
        public long mostBytes() {
            return mostBytes;
        }

        @Override
        public long room(SealedBatch batch) {
            return batch.body.length;
        }
    }
}
