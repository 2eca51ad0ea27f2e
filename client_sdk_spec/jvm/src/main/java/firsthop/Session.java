package firsthop;

import java.util.Random;

/** One use of the app: a new id after 15 minutes without a span, and after four hours. Any thread may call it. */
final class Session {
    private static final long IDLE_US = 15L * 60 * 1_000_000;
    private static final long LONGEST_US = 4L * 3600 * 1_000_000;

    private final Random random;
    private final boolean sampled;
    private Consent consent;
    private String network = "";
    private String id = "";
    private String randomness = "";
    private long beganUs;
    private long lastUs;
    private long lastSpanId;
    private boolean reported;
    private Context context;

    /** @param sampled whether sessions are kept or left out as a whole */
    Session(Random random, boolean sampled, Consent consent) {
        this.random = random;
        this.sampled = sampled;
        this.consent = consent;
        lastSpanId = random.nextLong();
        renew();
    }

    /** What a span that ends now belongs to. */
    synchronized Context at(long wallUs, long monoUs) {
        // The wall clock runs on in sleep, where the other may not; setting it costs at worst a new session.
        long nowUs = Math.max(wallUs, monoUs);
        boolean over = id.isEmpty() || Math.abs(nowUs - lastUs) > IDLE_US || Math.abs(nowUs - beganUs) > LONGEST_US;
        lastUs = nowUs;
        if (over) {
            beganUs = nowUs;
            reported = false;
            id = Hex.of(Hex.random(random));
            // Drawn anew for each session: one that lived longer would tell that two sessions are of one device.
            randomness = sampled ? Hex.of(random.nextLong()).substring(2) : "";
            lastSpanId = random.nextLong();
            renew();
        }
        return context;
    }

    /**
     * An id for a span: within a session they count up from a random one, which compresses to a third. Without consent each is
     * random, or they would tell that spans are of one device.
     */
    synchronized long spanId() {
        do lastSpanId = context.isWithoutConsent() ? random.nextLong() : lastSpanId + 1;
        while (lastSpanId == 0);
        return lastSpanId;
    }

    /** What is true now, without a span. */
    synchronized Context now() {
        return context;
    }

    synchronized void consent(Consent changed) {
        consent = changed;
        lastSpanId = random.nextLong();
        renew();
    }

    synchronized void network(String changed) {
        network = changed;
        renew();
    }

    /** From now on, until it is over, it is that of a user who reported a problem. */
    synchronized void report() {
        reported = true;
        renew();
    }

    private void renew() {
        context = new Context(consent, network, id, randomness, reported);
    }
}
