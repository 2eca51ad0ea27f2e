package firsthop.okhttp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import firsthop.Phase;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which phases follow from which callbacks, where a real network would not come in the wanted order. */
class CallStampsTest {
    private final CallStamps stamps = new CallStamps(CallStamps.FirstByte.HEADERS_START, 0);

    private void assertPhases(String expected) {
        StringBuilder told = new StringBuilder();
        for (Map.Entry<Phase, Long> phase : stamps.phases(true).entrySet()) {
            if (phase.getValue() == Phase.UNKNOWN) continue;
            told.append(told.length() == 0 ? "" : " ").append(phase.getKey().name().toLowerCase(java.util.Locale.ROOT));
            told.append(phase.getValue() == Phase.REUSED ? "=reused" : "=" + phase.getValue());
        }
        assertEquals(expected, told.toString());
    }

    private void answer(long from) {
        stamps.requestStart(from);
        stamps.requestEnd(from + 1);
        stamps.responseStart(from + 11);
        stamps.headersEnd(from + 12);
        stamps.bodyEnd(from + 31);
    }

    @Test
    void of_a_lost_race_only_the_winners_handshake_counts() {
        stamps.dnsStart(1);
        stamps.dnsEnd(3);
        stamps.connectStart("v6", 10);
        stamps.connectStart("v4", 20);
        stamps.secureStart(25);
        stamps.connectFailed("v6"); // cancelled, told by its own thread in the middle of the winner's TLS
        stamps.secureEnd(32);
        stamps.connectEnd("v4", 33);
        stamps.acquired("v4", true);
        answer(40);
        assertPhases("redirect=reused dns=2 tcp=5 tls=7 request=1 ttfb=10 download=20");
    }

    @Test
    void of_an_address_whose_tls_failed_nothing_is_left_in_the_next_ones() {
        stamps.connectStart("one", 0);
        stamps.secureStart(5);
        stamps.connectFailed("one");
        stamps.connectStart("two", 20);
        stamps.secureStart(24);
        stamps.secureEnd(30);
        stamps.connectEnd("two", 31);
        stamps.acquired("two", true);
        answer(40);
        assertPhases("redirect=reused dns=reused tcp=4 tls=6 request=1 ttfb=10 download=20");
    }

    @Test
    void a_connection_that_another_call_made_first_is_reused_whatever_this_call_began() {
        stamps.dnsStart(0);
        stamps.dnsEnd(2);
        stamps.connectStart("one", 3);
        stamps.secureStart(4);
        stamps.secureEnd(5);
        stamps.connectEnd("one", 6);
        stamps.acquired("one", false);
        answer(10);
        assertPhases("redirect=reused dns=2 tcp=reused tls=reused request=1 ttfb=10 download=20");
    }

    @Test
    void after_a_redirect_over_the_same_connection_its_handshake_is_not_told_again() {
        stamps.queueStart(0);
        stamps.queueEnd(2);
        stamps.dnsStart(3);
        stamps.dnsEnd(4);
        stamps.connectStart("one", 4);
        stamps.secureStart(5);
        stamps.secureEnd(6);
        stamps.connectEnd("one", 6);
        stamps.acquired("one", true);
        answer(7);
        answer(50);
        assertPhases("redirect=19 dns=reused tcp=reused tls=reused request=1 ttfb=10 download=20");
    }

    @Test
    void after_a_retry_the_request_is_that_of_the_last_connection() {
        stamps.acquired("pooled", false);
        stamps.requestStart(1);
        stamps.requestEnd(2);
        stamps.connectStart("one", 10);
        stamps.secureStart(12);
        stamps.secureEnd(15);
        stamps.connectEnd("one", 16);
        stamps.acquired("one", true);
        assertPhases("tcp=2 tls=3"); // not yet asked: what else was skipped nobody knows
        answer(20);
        assertPhases("redirect=reused dns=reused tcp=2 tls=3 request=1 ttfb=10 download=20");
    }

    @Test
    void a_first_byte_before_the_request_was_sent_is_an_interim_answers() {
        stamps.acquired("pooled", false);
        stamps.requestStart(0);
        stamps.responseStart(5); // 100 Continue
        stamps.requestEnd(20);
        stamps.headersEnd(30);
        stamps.bodyEnd(40);
        assertPhases("redirect=reused dns=reused tcp=reused tls=reused request=20");
    }

    @Test
    void a_start_without_its_end_is_unknown_and_so_is_all_that_would_follow() {
        stamps.dnsStart(0);
        stamps.dnsEnd(5);
        stamps.connectStart("one", 6);
        stamps.secureStart(7);
        assertPhases("dns=5");
    }

    @Test
    void before_4_3_the_first_byte_is_there_when_the_head_has_been_read() {
        CallStamps old = new CallStamps(CallStamps.FirstByte.HEADERS_END, 0);
        old.requestStart(0);
        old.requestEnd(1);
        old.responseStart(1); // ready to read
        old.headersEnd(100);
        old.bodyEnd(150);
        assertEquals(99, old.phases(true).get(Phase.TTFB));
        assertEquals(50, old.phases(true).get(Phase.DOWNLOAD));
    }

    @Test
    void of_a_version_that_cannot_be_told_the_first_byte_is_unknown() {
        CallStamps unknown = new CallStamps(CallStamps.FirstByte.UNKNOWN, 0);
        unknown.requestStart(0);
        unknown.requestEnd(1);
        unknown.responseStart(1);
        unknown.headersEnd(100);
        unknown.bodyEnd(150);
        assertEquals(Phase.UNKNOWN, unknown.phases(true).get(Phase.TTFB));
        assertEquals(Phase.UNKNOWN, unknown.phases(true).get(Phase.DOWNLOAD));
    }
}
