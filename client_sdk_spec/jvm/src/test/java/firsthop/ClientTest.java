package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The whole client, over an edge in memory and clocks of the test. */
class ClientTest {
    private static final long S = 1_000_000;

    private final FakeEdge edge = new FakeEdge();
    private final FakeClocks clocks = new FakeClocks();
    private final Options options = new Options("https://edge.example", "key")
            .service("shop")
            .version("1.2")
            .installation("i1")
            .clocks(clocks)
            .transport(edge)
            .random(new Random(5));
    private Firsthop client;

    private Firsthop client() {
        if (client == null) client = Firsthop.stepped(options);
        return client;
    }

    /** Lets the client do what it wants to do, for so long. */
    private void pass(long us) {
        long until = clocks.monoUs + us;
        while (true) {
            long waitUs = client().step();
            if (clocks.monoUs + waitUs > until) break;
            clocks.pass(waitUs);
        }
        clocks.pass(until - clocks.monoUs);
    }

    private void record(int count) {
        for (int i = 0; i < count; i++) client().span("span " + i).end();
    }

    private List<Integer> sizes() {
        List<Integer> sizes = new ArrayList<>();
        for (FakeEdge.Received each : edge.accepted) sizes.add(each.spans());
        return sizes;
    }

    @Test
    void a_span_says_what_it_was_told_and_when_it_was() {
        clocks.monoUs = 7 * S;
        Span span = client().span("checkout").screen("cart").attribute("items", 3).attribute("member", true);
        clocks.pass(S);
        span.event("paid");
        Span child = span.child("pay").signal(Signal.REQUEST).kind(3).method("POST").url("https://api.example/pay");
        clocks.pass(S);
        child.phase(Phase.TTFB, 5).phase(Phase.DNS, Phase.REUSED).phase(Phase.TCP, -7).httpStatus(201).end();
        clocks.pass(S);
        span.end();
        span.attribute("late", "x").end();
        client().flush();
        client().step();
        pass(0);
        List<Map<String, Object>> rows = edge.rows();
        assertEquals(2, rows.size());
        assertEquals(9 * S - S, rows.get(0).get("start_us"));
        assertEquals(S, rows.get(0).get("duration_us"));
        assertEquals(5L, rows.get(0).get("ttfb_us"));
        assertEquals(-1L, rows.get(0).get("dns_us"));
        assertEquals(-2L, rows.get(0).get("tcp_us"));
        assertEquals(rows.get(1).get("span_id"), rows.get(0).get("parent_span_id"));
        assertEquals(3 * S, rows.get(1).get("duration_us"));
        assertEquals("3", rows.get(1).get("items"));
        assertEquals("true", rows.get(1).get("member"));
        assertNull(rows.get(1).get("late"));
        assertEquals(1L, rows.get(1).get("signal"));
        Map<?, ?> resource = edge.accepted.get(0).part("resource");
        assertEquals("shop", resource.get("service"));
        assertEquals("i1", resource.get("installation"));
        assertEquals(Options.SDK, resource.get("sdk"));
        assertEquals(32, ((String) resource.get("session")).length());
        assertFalse(resource.containsKey("consent"));
    }

    @Test
    void a_hundred_spans_are_a_batch_and_thirty_seconds_are() {
        record(250);
        pass(0);
        assertEquals(java.util.Arrays.asList(100, 100), sizes());
        pass(29 * S);
        assertEquals(2, edge.accepted.size());
        pass(2 * S);
        assertEquals(java.util.Arrays.asList(100, 100, 50), sizes());
    }

    @Test
    void a_batch_is_sealed_before_it_grows_beyond_48_kib() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 4000; i++) text.append((char) ('a' + i % 26));
        for (int i = 0; i < 30; i++) client().span("span").attribute("text", i + text.toString()).end();
        pass(31 * S);
        assertEquals(30, edge.rows().size());
        for (FakeEdge.Received each : edge.accepted) assertTrue(MessagePack.pack(each.map).length <= 48 * 1024);
        assertTrue(edge.accepted.size() >= 3);
    }

    @Test
    void what_does_not_fit_into_memory_is_dropped_and_told() {
        record(3000);
        pass(31 * S);
        long told = 0;
        record(1);
        pass(31 * S);
        for (FakeEdge.Received each : edge.accepted) {
            Object count = each.part("dropped").get("queue_overflow");
            told += count == null ? 0 : (Long) count;
        }
        assertTrue(told > 0);
        assertEquals(3001, edge.rows().size() + told);
    }

    @Test
    void spans_of_before_and_after_a_change_of_consent_go_in_batches_of_their_own() {
        options.consent(Consent.PENDING);
        record(1);
        client().setConsent(Consent.GRANTED);
        record(2);
        client().setConsent(Consent.DENIED);
        record(3);
        pass(31 * S);
        assertEquals(java.util.Arrays.asList(1, 2, 3), sizes());
        List<Object> words = new ArrayList<>();
        for (FakeEdge.Received each : edge.accepted) {
            Map<?, ?> resource = each.part("resource");
            words.add(resource.get("consent"));
            boolean named = resource.containsKey("session") && resource.containsKey("installation");
            boolean nameless = !resource.containsKey("session") && !resource.containsKey("installation");
            assertTrue(resource.get("consent").equals("granted") ? named : nameless, resource.toString());
        }
        assertEquals(java.util.Arrays.asList("pending", "granted", "denied"), words);
    }

    @Test
    void an_app_that_may_not_even_count_sends_nothing_and_tells_it_afterwards() {
        options.consent(Consent.DENIED).onlyWithConsent();
        record(7);
        pass(31 * S);
        record(2);
        client().setConsent(Consent.PENDING);
        record(1);
        assertTrue(edge.rows().isEmpty());
        client().setConsent(Consent.GRANTED);
        record(1);
        pass(31 * S);
        assertEquals(1, edge.rows().size());
        assertEquals(10L, edge.accepted.get(edge.accepted.size() - 1).part("dropped").get("consent"));
    }

    @Test
    void counters_are_told_by_a_batch_without_spans_when_there_are_none() {
        edge.answers.add(400);
        record(4);
        pass(31 * S);
        assertEquals(0, edge.accepted.size());
        pass(6 * 60 * S);
        assertEquals(java.util.Arrays.asList(0), sizes());
        assertEquals(4L, edge.accepted.get(0).part("dropped").get("rejected"));
        pass(3600 * S);
        assertEquals(1, edge.accepted.size());
    }

    @Test
    void an_hour_of_a_thousand_spans_is_less_than_100_kb() {
        Random random = new Random(8);
        long bytes = 0;
        for (int i = 0; i < 1000; i++) {
            long start = clocks.monoUs;
            Span span = client().span("GET").signal(Signal.REQUEST).kind(3).method("GET").route("/orders/{id}");
            span.url("https://api.shop.example/orders/" + random.nextInt(100_000)).httpStatus(200).protocol("h2");
            for (Phase phase : Phase.values()) {
                boolean handshake = phase == Phase.DNS || phase == Phase.TCP || phase == Phase.TLS;
                boolean happened = handshake ? i % 10 == 0 : phase != Phase.REDIRECT && phase != Phase.BLOCKED;
                span.phase(phase, happened ? random.nextInt(90_000) : Phase.REUSED);
            }
            span.timed(start, random.nextInt(900_000)).responseBytes(random.nextInt(20_000)).end();
            pass(3_600_000);
            if (i % 30 == 29) client().flush();
        }
        pass(31 * S);
        for (FakeEdge.Received each : edge.attempts) bytes += each.body.length;
        assertEquals(1000, edge.rows().size());
        assertTrue(bytes < 100_000, bytes + " bytes");
    }

    @Test
    void a_session_ends_after_a_quarter_of_an_hour_of_rest_and_after_four_hours() {
        Set<Object> sessions = new HashSet<>();
        record(1);
        pass(14 * 60 * S);
        record(1);
        pass(31 * S);
        for (FakeEdge.Received each : edge.accepted) sessions.add(each.part("resource").get("session"));
        assertEquals(1, sessions.size());
        pass(15 * 60 * S);
        record(1);
        pass(31 * S);
        for (FakeEdge.Received each : edge.accepted) sessions.add(each.part("resource").get("session"));
        assertEquals(2, sessions.size());
        for (int minutes = 0; minutes < 250; minutes += 10) {
            record(1);
            pass(10 * 60 * S);
        }
        for (FakeEdge.Received each : edge.accepted) sessions.add(each.part("resource").get("session"));
        assertEquals(3, sessions.size());
    }

    @Test
    void spans_of_two_epochs_go_in_batches_of_their_own() {
        clocks.countsSleep = false;
        Span before = client().span("before");
        record(1);
        clocks.wallUs += 10 * 60 * S;
        record(1);
        before.end();
        pass(31 * S);
        assertEquals(java.util.Arrays.asList(2, 1), sizes());
        assertNotEquals(
                edge.accepted.get(0).part("clock").get("epoch"), edge.accepted.get(1).part("clock").get("epoch"));
        assertTrue(edge.accepted.get(0).query.contains("b=600000000"), edge.accepted.get(0).query);
    }

    @Test
    void sampling_leaves_out_what_the_edge_does_not_want_and_a_reported_problem_brings_it() {
        edge.config = "{\"v\":1,\"app\":1,\"ttl_s\":300,\"send\":true,\"sampling\":{\"th\":\"ff\",\"routes\":{},"
                + "\"always\":[\"error\",\"slow\",\"reported\"]},\"slow\":{\"default_ms\":3000,\"routes_ms\":{}}}";
        client().step();
        record(99);
        client().span("wrong").failed("Error").end();
        pass(31 * S);
        List<Map<String, Object>> sent = edge.rows();
        assertTrue(sent.size() < 10, sent.size() + " sent");
        for (Map<String, Object> row : sent) {
            boolean error = row.get("name").equals("wrong");
            Object declared = row.get("threshold");
            assertEquals(error ? "" : "ff", declared == null ? "" : declared);
        }
        client().reportProblem();
        pass(S);
        FakeEdge.Received reported = edge.accepted.get(edge.accepted.size() - 1);
        assertEquals(true, reported.part("resource").get("reported"));
        assertEquals(100 - sent.size(), reported.spans());
        for (Map<String, Object> row : reported.rows()) assertEquals("ff", row.get("threshold"));
        record(5);
        pass(31 * S);
        assertEquals(5, edge.accepted.get(edge.accepted.size() - 1).spans()); // the rest of the session goes whole
        client().reportProblem();
        pass(31 * S);
        assertEquals(105, edge.rows().size()); // nothing twice
    }

    @Test
    void whole_sessions_are_kept_or_left_out() {
        options.wholeSessions();
        edge.config = "{\"v\":1,\"app\":1,\"ttl_s\":300,\"send\":true,\"sampling\":{\"th\":\"8\",\"routes\":{},"
                + "\"always\":[]},\"slow\":{\"default_ms\":3000,\"routes_ms\":{}}}";
        client().step();
        for (int session = 0; session < 40; session++) {
            record(4);
            pass(16 * 60 * S);
        }
        edge.accepted.removeIf(each -> each.spans() == 0); // they only tell what was left out
        assertTrue(edge.accepted.size() > 5 && edge.accepted.size() < 35, edge.accepted.size() + " of 40");
        Set<Object> randomness = new HashSet<>();
        for (FakeEdge.Received each : edge.accepted) {
            assertEquals(4, each.spans());
            for (Map<String, Object> row : each.rows()) randomness.add(row.get("randomness"));
        }
        assertEquals(edge.accepted.size(), randomness.size());
    }

    @Test
    void on_a_low_battery_errors_go_and_the_rest_waits() {
        boolean[] allowed = {false};
        options.uploadPolicy(() -> allowed[0]);
        record(3);
        client().span("wrong").failed("Error").end();
        pass(5 * 60 * S);
        assertEquals(java.util.Arrays.asList(1), sizes());
        assertEquals("wrong", edge.rows().get(0).get("name"));
        allowed[0] = true;
        pass(2 * 60 * S);
        assertEquals(java.util.Arrays.asList(1, 3), sizes());
    }

    @Test
    void a_batch_that_is_sent_again_is_the_same_and_its_stamp_is_new() {
        edge.answers.add(new IOException("gone"));
        edge.answers.add(503);
        record(3);
        pass(60 * S);
        assertEquals(3, edge.attempts.size());
        Set<String> queries = new HashSet<>();
        for (FakeEdge.Received each : edge.attempts) {
            org.junit.jupiter.api.Assertions.assertArrayEquals(edge.attempts.get(0).body, each.body);
            assertEquals(edge.attempts.get(0).id, each.id);
            queries.add(each.query);
        }
        assertEquals(3, queries.size());
    }

    @Test
    void what_was_dropped_is_told_once_and_told_again_only_if_it_did_not_arrive() {
        edge.answers.add(400);
        record(3);
        pass(31 * S);
        record(1);
        edge.answers.add(400);
        pass(31 * S);
        record(1);
        pass(31 * S);
        record(1);
        pass(31 * S);
        assertEquals(4L, edge.accepted.get(0).part("dropped").get("rejected"));
        assertTrue(edge.accepted.get(1).part("dropped").isEmpty());
    }

    @Test
    void half_of_a_surrogate_pair_and_a_text_without_end_do_no_harm() {
        StringBuilder endless = new StringBuilder();
        for (int i = 0; i < 20_000; i++) endless.append('x');
        client().span("cut \ud83d").attribute("text", endless.toString()).attribute("none", (String) null).end();
        client().span(null).url(null).failed(null).end();
        pass(31 * S);
        List<Map<String, Object>> rows = edge.rows();
        assertEquals("cut \ufffd", rows.get(0).get("name"));
        assertEquals(8192, ((String) rows.get(0).get("text")).length());
        assertEquals("?", rows.get(1).get("name"));
    }

    @Test
    void a_transport_that_throws_anything_only_means_that_there_was_no_answer() {
        options.transport(request -> {
            throw new IllegalStateException("not my day");
        });
        record(3);
        pass(60 * S);
        options.transport(edge);
        pass(600 * S);
        assertEquals(java.util.Arrays.asList(3), sizes());
    }

    @Test
    void spans_of_many_threads_arrive_once_each() throws Exception {
        Firsthop running = Firsthop.start(new Options("https://edge.example", "key").transport(edge));
        int threads = 8;
        int each = 250;
        CountDownLatch done = new CountDownLatch(threads);
        for (int t = 0; t < threads; t++) {
            final int number = t;
            new Thread(() -> {
                        for (int i = 0; i < each; i++) running.span(number + " " + i).end();
                        done.countDown();
                    })
                    .start();
        }
        assertTrue(done.await(30, TimeUnit.SECONDS));
        running.close();
        Set<Object> names = new HashSet<>();
        List<Map<String, Object>> rows = edge.rows();
        for (Map<String, Object> row : rows) names.add(row.get("name"));
        long dropped = 0;
        for (FakeEdge.Received received : edge.accepted) {
            Object count = received.part("dropped").get("queue_overflow");
            dropped += count == null ? 0 : (Long) count;
        }
        assertEquals(rows.size(), names.size());
        assertEquals(threads * each, rows.size() + dropped);
    }

    @Test
    void a_closed_client_takes_no_more_and_closing_twice_is_harmless() {
        Firsthop running = Firsthop.start(new Options("https://edge.example", "key").transport(edge));
        running.span("one").end();
        running.close();
        running.span("two").end();
        running.close();
        assertEquals(1, edge.rows().size());
    }

    @Test
    void an_address_that_is_none_is_said_at_once() {
        for (String wrong : new String[] {"edge.example", "ftp://edge.example", ""}) {
            org.junit.jupiter.api.Assertions.assertThrows(IllegalArgumentException.class, () -> new Options(wrong, "key"));
        }
    }
}
