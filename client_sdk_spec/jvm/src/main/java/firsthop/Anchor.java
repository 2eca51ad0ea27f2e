package firsthop;

/** What an answer proved: at mono {@code atUs}, server time − mono was {@code offsetUs} ± {@code errUs}. */
final class Anchor {
    /** How fast an anchor grows stale. */
    static final long DRIFT_PPM = 100;

    final long offsetUs;
    final long errUs;
    final long atUs;

    Anchor(long offsetUs, long errUs, long atUs) {
        this.offsetUs = offsetUs;
        this.errUs = errUs;
        this.atUs = atUs;
    }

    /** How far off the offset may be at another reading of the clock. */
    long reachUs(long monoUs) {
        return errUs + Math.abs(monoUs - atUs) * DRIFT_PPM / 1_000_000;
    }
}
