package firsthop;

import java.net.URI;
import java.net.URISyntaxException;

/** What becomes of a span by the configuration in force ({@code CONFIG.md}, "Sampling by it"). Pure. */
final class Sampler {
    private static final long RANDOMNESS = (1L << 56) - 1;
    /** The kind of a span that asked somebody. */
    private static final int CLIENT = 3;

    private Sampler() {}

    /** Whether it is sent, and with which threshold. */
    static final class Decision {
        final boolean kept;
        /** To be declared: the one that decided; empty if none did. */
        final String threshold;

        Decision(boolean kept, String threshold) {
            this.kept = kept;
            this.threshold = threshold;
        }
    }

    /** Of a span that may be sent at all, which {@link ClientConfig#send} says. */
    static Decision decide(ClientConfig config, Span span) {
        String sessionRandomness = span.context.randomness;
        if (config.alwaysReported && span.context.reported) return new Decision(true, "");
        if (config.alwaysErrors && span.isError()) return new Decision(true, "");
        if (config.alwaysSlow && isSlow(config, span)) return new Decision(true, "");
        boolean bySession = !sessionRandomness.isEmpty();
        ClientConfig.Threshold own = bySession ? null : config.routes.get(route(span));
        ClientConfig.Threshold threshold = own == null ? config.threshold : own;
        long randomness = bySession
                ? Long.parseLong(sessionRandomness, 16)
                : span.trace().getLeastSignificantBits() & RANDOMNESS;
        return new Decision(randomness >= threshold.least, threshold.least == 0 ? "" : threshold.digits);
    }

    private static boolean isSlow(ClientConfig config, Span span) {
        boolean asked = span.value(Column.SIGNAL) == Signal.REQUEST.ordinal() && span.value(Column.KIND) == CLIENT;
        if (!asked) return false;
        Long own = config.slowRoutesUs.get(route(span));
        return span.value(Column.DURATION) >= (own == null ? config.slowUs : own);
    }

    static Rank rank(ClientConfig config, Span span) {
        if (span.isError()) return Rank.ERROR;
        return isSlow(config, span) ? Rank.SLOW : Rank.ORDINARY;
    }

    /** Named as the server names it: method, host, template; null where the app has given no template. */
    private static String route(Span span) {
        String template = span.text(Column.ROUTE);
        String url = span.text(Column.URL);
        String method = span.text(Column.METHOD);
        if (template == null || url == null) return null;
        try {
            String host = new URI(url).getRawAuthority();
            return (method == null ? "" : method + " ") + (host == null ? "" : host) + template;
        } catch (URISyntaxException odd) {
            return null;
        }
    }
}
