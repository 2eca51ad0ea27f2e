package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The clock against the vectors, and through the stories that the vectors tell of. */
class DeviceClockTest {
    private static final long S = 1_000_000;
    private static final long HOUR = 3600 * S;
    private static final long R = 1_790_000_000_000_000L;

    private final FakeClocks clocks = new FakeClocks();

    private static Iterator<String> names(String prefix) {
        return Stream.iterate(1, i -> i + 1).map(i -> prefix + i).iterator();
    }

    private DeviceClock clock() {
        return new DeviceClock(clocks, names("b"), null, false);
    }

    @Test
    void an_answer_becomes_the_anchor_that_the_vectors_give() throws IOException {
        for (JsonElement each : Spec.json("vectors/clock/exchanges.json").getAsJsonArray("exchanges")) {
            JsonObject exchange = each.getAsJsonObject();
            String meaning = exchange.get("meaning").getAsString();
            DeviceClock clock = clock();
            clocks.monoUs = exchange.get("t4").getAsLong();
            clock.answered(
                    exchange.get("t1").getAsLong(),
                    exchange.get("t4").getAsLong(),
                    exchange.get("received_us").getAsLong(),
                    exchange.get("replied_us").getAsLong());
            Anchor made = clock.kept().anchors.get("b1");
            if (exchange.get("anchor").isJsonNull()) {
                assertNull(made, meaning);
            } else {
                JsonObject expected = exchange.getAsJsonObject("anchor");
                assertEquals(expected.get("offset_us").getAsLong(), made.offsetUs, meaning);
                assertEquals(expected.get("err_us").getAsLong(), made.errUs, meaning);
                assertEquals(expected.get("at_us").getAsLong(), made.atUs, meaning);
            }
            clocks.monoUs = 0;
        }
    }

    static java.util.Set<String> stories() throws IOException {
        return Spec.json("vectors/clock/stories.json").getAsJsonObject("stories").keySet();
    }

    @ParameterizedTest
    @MethodSource("stories")
    void a_client_says_of_its_clocks_what_the_stories_expect(String name) throws IOException {
        JsonObject story = Spec.json("vectors/clock/stories.json").getAsJsonObject("stories").getAsJsonObject(name);
        clocks.countsSleep = story.get("counts_sleep").getAsBoolean();
        show(story.getAsJsonObject("begin"));
        DeviceClock clock = new DeviceClock(clocks, Stream.iterate(0, i -> i + 1).map(i -> "e" + i).iterator(), null, false);
        for (JsonElement each : story.getAsJsonArray("steps")) {
            JsonObject step = each.getAsJsonObject();
            show(step);
            switch (step.get("do").getAsString()) {
                case "sample":
                    clock.sample();
                    assertEquals(step.getAsJsonObject("expected").get("epoch").getAsString(), clock.epoch());
                    break;
                case "seal":
                    String epoch = step.get("epoch").isJsonNull() ? clock.epoch() : step.get("epoch").getAsString();
                    assertEquals(texts(step.getAsJsonObject("expected")), texts(clock.sealed(epoch)));
                    break;
                case "stamp":
                    Map<String, String> expected = texts(step.getAsJsonObject("expected"));
                    expected.remove("bg"); // nothing is handed to a system for later upload
                    assertEquals(expected, clock.stamp(step.get("batch_epoch").getAsString(), clocks.monoUs));
                    break;
                default:
                    clock.answered(
                            step.get("sent_us").getAsLong(),
                            clocks.monoUs,
                            step.get("received_us").getAsLong(),
                            step.get("replied_us").getAsLong());
            }
        }
    }

    private void show(JsonObject told) {
        clocks.monoUs = told.get("mono_us").getAsLong();
        clocks.wallUs = told.get("wall_us").getAsLong();
    }

    private static Map<String, String> texts(JsonObject told) {
        Map<String, String> texts = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> entry : told.entrySet()) texts.put(entry.getKey(), entry.getValue().getAsString());
        return texts;
    }

    private static Map<String, String> texts(Map<String, Object> told) {
        Map<String, String> texts = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : told.entrySet()) texts.put(entry.getKey(), entry.getValue().toString());
        return texts;
    }

    /** What the vectors call warm: answered at 60 s, stamped at 100 s. */
    @Test
    void the_stamp_of_a_warm_client_is_that_of_the_vectors() throws IOException {
        DeviceClock clock = clock();
        clocks.pass(60 * S);
        long offsetUs = R - 100 * S - 48_000;
        clock.answered(60 * S - 9_000, 60 * S, offsetUs + 60 * S - 4_500, offsetUs + 60 * S - 4_500);
        clocks.pass(40 * S);
        Map<String, String> stamp = clock.stamp("b1", 95 * S);
        JsonObject expected = Spec.json("vectors/clock/case_warm.json").getAsJsonObject("stamp");
        for (String name : new String[] {"s", "e", "o", "t"}) assertEquals(expected.get(name).getAsString(), stamp.get(name), name);
        assertFalse(stamp.containsKey("oe"));
        assertFalse(stamp.containsKey("b"));
        assertEquals("9000", stamp.get("r"));
        assertEquals("4502", stamp.get("d")); // half of 9 ms, 0.9 µs of drift, 1 µs for each rounding
    }

    @Test
    void a_clock_that_counts_sleep_counts_a_step_and_stays_in_its_epoch() throws IOException {
        DeviceClock clock = clock();
        clocks.pass(100 * S);
        clocks.wallUs += HOUR;
        Map<String, Object> sealed = clock.sealed("b1");
        assertEquals("b1", clock.epoch());
        assertEquals(1L, sealed.get("steps"));
        assertEquals(Spec.json("vectors/clock/case_wall_clock_set.json").getAsJsonObject("clock").get("steps").getAsLong(), 1);
        assertEquals(clocks.wallUs, sealed.get("wall_us"));
    }

    @Test
    void a_clock_that_stops_in_sleep_begins_an_epoch_and_bridges_to_it() throws IOException {
        clocks.countsSleep = false;
        DeviceClock clock = clock();
        clocks.pass(100 * S);
        clock.sample();
        clocks.wallUs += 8 * HOUR;
        clocks.pass(10 * S);
        Map<String, String> stamp = clock.stamp("b1", 95 * S);
        JsonObject expected = Spec.json("vectors/clock/case_eight_hours_of_sleep.json").getAsJsonObject("stamp");
        for (String name : new String[] {"s", "e", "b"}) assertEquals(expected.get(name).getAsString(), stamp.get(name), name);
        assertEquals(100 * S, clock.sealed("b1").get("mono_us")); // as last read in it
    }

    @Test
    void jumps_of_both_signs_are_not_added_up() {
        clocks.countsSleep = false;
        DeviceClock clock = clock();
        clocks.wallUs += HOUR;
        clock.sample();
        clocks.wallUs -= 2 * HOUR;
        clock.sample();
        assertEquals("b3", clock.epoch());
        assertFalse(clock.stamp("b1", 0).containsKey("b"));
        assertEquals(Long.toString(-2 * HOUR), clock.stamp("b2", 0).get("b"));
    }

    @Test
    void a_batch_of_an_earlier_boot_goes_with_the_anchor_of_then() {
        Map<String, Anchor> anchors = new LinkedHashMap<>();
        anchors.put("a1", new Anchor(R, 5_000, 60 * S));
        DeviceClock clock = new DeviceClock(clocks, names("b"), new DeviceClock.Kept("a1", 90 * S, R, 0, anchors), false);
        clocks.pass(20 * S);
        Map<String, String> stamp = clock.stamp("a1", 50 * S);
        assertEquals("b1", stamp.get("e"));
        assertEquals("a1", stamp.get("oe"));
        assertEquals(Long.toString(R), stamp.get("o"));
    }

    @Test
    void the_epoch_goes_on_in_the_next_process_of_the_same_boot() {
        DeviceClock.Kept kept = new DeviceClock.Kept("a1", 90 * S, clocks.wallUs - 10 * S, 3, new LinkedHashMap<>());
        clocks.monoUs = 100 * S;
        assertEquals("a1", new DeviceClock(clocks, names("b"), kept, true).epoch());
        assertEquals(3L, new DeviceClock(clocks, names("b"), kept, true).sealed("a1").get("steps"));
        clocks.wallUs += HOUR; // set while no process ran
        assertEquals(4L, new DeviceClock(clocks, names("b"), kept, true).sealed("a1").get("steps"));
        clocks.monoUs = 10 * S; // behind what was read: it cannot be the same boot
        assertNotEquals("a1", new DeviceClock(clocks, names("b"), kept, true).epoch());
    }

    @Test
    void of_many_epochs_and_anchors_the_oldest_are_forgotten() {
        clocks.countsSleep = false;
        DeviceClock clock = clock();
        for (int i = 0; i < 40; i++) {
            clocks.pass(S);
            clock.answered(clocks.monoUs - 1000, clocks.monoUs, R, R);
            clocks.wallUs += HOUR;
            clock.sample();
        }
        assertEquals(DeviceClock.EPOCHS, clock.kept().anchors.size());
        assertFalse(clock.stamp("b1", 0).containsKey("b"));
        assertEquals(2, clock.sealed("b1").size()); // nobody knows its clocks any more
    }

    @Test
    void a_batch_that_waited_goes_with_the_anchor_nearest_to_its_spans() {
        DeviceClock clock = clock();
        for (int hour = 0; hour < 30; hour++) {
            clock.answered(clocks.monoUs, clocks.monoUs + 2_000, R + clocks.monoUs, R + clocks.monoUs);
            clocks.pass(HOUR);
        }
        long at = Long.parseLong(clock.stamp("b1", 10 * HOUR).get("t"));
        assertEquals(10 * HOUR, at, 4 * HOUR);
    }
}
