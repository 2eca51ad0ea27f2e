package firsthop;

/** Clocks that a test sets. */
final class FakeClocks implements Clocks {
    long monoUs;
    long wallUs = 1_790_000_000_000_000L;
    boolean countsSleep = true;
    String bootId;

    /** Both run on. */
    FakeClocks pass(long us) {
        monoUs += us;
        wallUs += us;
        return this;
    }

    @Override
    public long monoMicros() {
        return monoUs;
    }

    @Override
    public long wallMicros() {
        return wallUs;
    }

    @Override
    public boolean countsSleep() {
        return countsSleep;
    }

    @Override
    public String bootId() {
        return bootId;
    }
}
