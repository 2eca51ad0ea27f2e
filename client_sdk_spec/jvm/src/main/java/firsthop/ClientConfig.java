package firsthop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The answer of {@code GET /v1/config} ({@code CONFIG.md}): what may be left out. */
final class ClientConfig {
    private static final long VERSION = 1;
    private static final int MOST_ROUTES = 50;
    private static final long MOST_TTL_S = 86_400;

    /** Until an answer is there: everything is sent. */
    static final ClientConfig EVERYTHING = new ClientConfig();

    final long app;
    final long ttlS;
    final boolean send;
    final Threshold threshold;
    final Map<String, Threshold> routes = new HashMap<>();
    final boolean alwaysErrors;
    final boolean alwaysSlow;
    final boolean alwaysReported;
    /** A request this long is slow; {@link Long#MAX_VALUE}: none is. */
    final long slowUs;
    final Map<String, Long> slowRoutesUs = new HashMap<>();

    /** A W3C threshold: a trace is kept iff its randomness is not below. */
    static final class Threshold {
        static final Threshold NONE = new Threshold("0");
        /** Without zeros at the end. */
        final String digits;
        final long least;

        Threshold(String digits) {
            this.digits = digits;
            this.least = Long.parseLong((digits + "00000000000000").substring(0, 14), 16);
        }

        /** @throws Json.Malformed when it is not 1 to 14 lower-case hex digits */
        static Threshold of(Object value) throws Json.Malformed {
            if (!(value instanceof String) || !((String) value).matches("[0-9a-f]{1,14}")) {
                throw new Json.Malformed("a threshold that is none");
            }
            String digits = ((String) value).replaceAll("0+$", "");
            return new Threshold(digits.isEmpty() ? "0" : digits);
        }
    }

    private ClientConfig() {
        app = 0;
        ttlS = 300;
        send = true;
        threshold = Threshold.NONE;
        alwaysErrors = true;
        alwaysSlow = true;
        alwaysReported = true;
        slowUs = Long.MAX_VALUE;
    }

    private ClientConfig(Map<?, ?> answer) throws Json.Malformed {
        Map<?, ?> sampling = map(answer.get("sampling"));
        Map<?, ?> slow = map(answer.get("slow"));
        app = whole(answer.get("app"));
        ttlS = Math.min(Math.max(whole(answer.get("ttl_s")), 1), MOST_TTL_S);
        if (!(answer.get("send") instanceof Boolean)) throw new Json.Malformed("send is true or false");
        send = (Boolean) answer.get("send");
        threshold = Threshold.of(sampling.get("th"));
        for (Map.Entry<?, ?> route : map(sampling.get("routes")).entrySet()) {
            if (routes.size() < MOST_ROUTES) routes.put((String) route.getKey(), Threshold.of(route.getValue()));
        }
        if (!(sampling.get("always") instanceof List)) throw new Json.Malformed("always is a list");
        List<?> always = (List<?>) sampling.get("always");
        alwaysErrors = always.contains("error");
        alwaysSlow = always.contains("slow");
        alwaysReported = always.contains("reported");
        slowUs = whole(slow.get("default_ms")) * 1000;
        for (Map.Entry<?, ?> route : map(slow.get("routes_ms")).entrySet()) {
            if (slowRoutesUs.size() < MOST_ROUTES) slowRoutesUs.put((String) route.getKey(), whole(route.getValue()) * 1000);
        }
    }

    /** @throws Json.Malformed when it is not an answer of this version */
    static ClientConfig parse(String text) throws Json.Malformed {
        Map<?, ?> answer = map(Json.parse(text));
        if (whole(answer.get("v")) != VERSION) throw new Json.Malformed("another version");
        return new ClientConfig(answer);
    }

    private static Map<?, ?> map(Object value) throws Json.Malformed {
        if (!(value instanceof Map)) throw new Json.Malformed("a map is missing");
        return (Map<?, ?>) value;
    }

    private static long whole(Object value) throws Json.Malformed {
        if (!(value instanceof Long) || (Long) value < 0 || (Long) value > 1L << 40) {
            throw new Json.Malformed("a whole number is missing");
        }
        return (Long) value;
    }
}
