package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Cutting a batch that was too large. */
class SplitterTest {
    private static SealedBatch batch(List<Span> spans) {
        UUID id = Hex.random(new Random(4));
        Map<String, Long> dropped = new LinkedHashMap<>();
        dropped.put("sampled", 3L);
        byte[] body = Encoder.encode(id, new LinkedHashMap<>(), new LinkedHashMap<>(), dropped, spans);
        return new SealedBatch(id, Rank.SLOW, spans.size(), "e", 5, dropped, Compression.deflate(body), 9, 2);
    }

    private static List<Span> spans(int count) {
        List<Span> spans = new ArrayList<>();
        for (int row = 0; row < count; row++) spans.add(Rows.span("batch", row));
        return spans;
    }

    @Test
    void the_halves_say_together_what_the_batch_said() {
        for (int count = 2; count < 40; count++) {
            SealedBatch whole = batch(spans(count));
            SealedBatch[] halves = Splitter.halve(whole);
            List<Map<String, Object>> rows = new FakeEdge.Received(halves[0].body).rows();
            assertEquals(count / 2, rows.size());
            rows.addAll(new FakeEdge.Received(halves[1].body).rows());
            List<Map<String, Object>> expected = new FakeEdge.Received(whole.body).rows();
            for (Map<String, Object> row : rows) row.remove("trace"); // a row of another table
            for (Map<String, Object> row : expected) row.remove("trace");
            assertEquals(expected, rows);
        }
    }

    @Test
    void a_half_is_what_the_encoder_would_have_made_of_its_spans() {
        List<Span> spans = spans(7);
        SealedBatch[] halves = Splitter.halve(batch(spans));
        Map<?, ?> second = new FakeEdge.Received(halves[1].body).map;
        byte[] made = Encoder.encode(
                halves[1].id, new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>(), spans.subList(3, 7));
        Map<?, ?> expected = new FakeEdge.Received(Compression.deflate(made)).map;
        for (String part : new String[] {"id", "n", "strings", "traces", "attrs", "events", "links", "big"}) {
            assertEquals(
                    java.util.Arrays.toString(MessagePack.pack(expected.get(part))),
                    java.util.Arrays.toString(MessagePack.pack(second.get(part))),
                    part);
        }
        assertEquals(((List<?>) second.get("strings")).size(), ((List<?>) expected.get("strings")).size());
    }

    @Test
    void its_drops_go_with_the_first_and_its_age_and_rank_with_both() {
        SealedBatch[] halves = Splitter.halve(batch(spans(3)));
        assertEquals(3L, new FakeEdge.Received(halves[0].body).part("dropped").get("sampled"));
        assertFalse(new FakeEdge.Received(halves[1].body).map.containsKey("dropped"));
        assertTrue(halves[1].dropped.isEmpty());
        for (SealedBatch half : halves) {
            assertEquals(Rank.SLOW, half.rank);
            assertEquals(9, half.sealedWallUs);
            assertEquals("e", half.epoch);
        }
        assertEquals(2, halves[0].counters);
        assertEquals(-1, halves[1].counters);
    }

    @Test
    void halved_again_after_a_kill_it_gives_batches_of_the_same_ids() {
        SealedBatch[] once = Splitter.halve(batch(spans(8)));
        SealedBatch[] again = Splitter.halve(batch(spans(8)));
        assertEquals(once[0].id, again[0].id);
        assertEquals(once[1].id, again[1].id);
        assertNotEquals(once[0].id, once[1].id);
        assertNotEquals(Splitter.halve(once[0])[0].id, Splitter.halve(once[1])[0].id);
    }

    @Test
    void one_span_is_not_cut_and_neither_is_what_is_no_batch() {
        assertNull(Splitter.halve(batch(spans(1))));
        SealedBatch broken = new SealedBatch(
                UUID.randomUUID(), Rank.SLOW, 4, "e", 0, new LinkedHashMap<>(), new byte[] {1, 2, 3}, 0, -1);
        assertNull(Splitter.halve(broken));
    }

    /** Seeded: a body whose bytes are not what they were is cut or refused, and nothing else happens. */
    @Test
    void no_bytes_whatever_make_the_splitter_throw() throws Exception {
        Random random = new Random(6);
        byte[] body = Compression.inflate(batch(spans(9)).body, 1 << 20);
        for (int round = 0; round < 20_000; round++) {
            byte[] mutated = body.clone();
            for (int i = random.nextInt(4); i >= 0; i--) mutated[random.nextInt(mutated.length)] = (byte) random.nextInt();
            Splitter.halve(new SealedBatch(
                    UUID.randomUUID(), Rank.SLOW, 9, "e", 0, new LinkedHashMap<>(), Compression.deflate(mutated), 0, -1));
        }
    }
}
