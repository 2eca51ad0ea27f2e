package firsthop;

import java.util.Objects;

/** What is true of the app while a span is recorded; spans of two contexts do not belong into one batch. */
final class Context {
    static final Context NONE = new Context(null, "", "", "", false);

    /** Null: the app does not ask. */
    final Consent consent;
    final String network;
    /** Empty: none is told. */
    final String session;
    /** W3C {@code rv} of all spans of the session; empty: each trace is sampled by its own id. */
    final String randomness;
    /** Its user reported a problem. */
    final boolean reported;

    Context(Consent consent, String network, String session, String randomness, boolean reported) {
        this.consent = consent;
        this.network = network;
        // Who has not agreed is not told apart from others.
        boolean nameless = isWithoutConsent();
        this.session = nameless ? "" : session;
        this.randomness = nameless ? "" : randomness;
        this.reported = reported;
    }

    /** The app asks, and the user has not agreed. */
    boolean isWithoutConsent() {
        return consent == Consent.PENDING || consent == Consent.DENIED;
    }

    Context asReported() {
        return new Context(consent, network, session, randomness, true);
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof Context)) return false;
        Context that = (Context) other;
        return consent == that.consent
                && network.equals(that.network)
                && session.equals(that.session)
                && randomness.equals(that.randomness)
                && reported == that.reported;
    }

    @Override
    public int hashCode() {
        return Objects.hash(consent, network, session, randomness, reported);
    }
}
