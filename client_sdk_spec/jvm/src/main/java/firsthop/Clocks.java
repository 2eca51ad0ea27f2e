package firsthop;

/**
 * The two clocks of a device. Both are read at the start and end of every span, on any thread: they must be cheap, and
 * must not throw.
 *
 * <p>On Android: {@code SystemClock.elapsedRealtimeNanos() / 1000}, {@code System.currentTimeMillis() * 1000}, true, and
 * {@code Settings.Global.BOOT_COUNT} as text.
 */
public interface Clocks {
    /** A clock that is never set, in µs; where there is one, it runs on while the device sleeps. */
    long monoMicros();

    /** The wall clock: µs since 1970. */
    long wallMicros();

    /** Whether {@link #monoMicros} runs on while the device sleeps. When in doubt: false. */
    boolean countsSleep();

    /**
     * What tells this boot from every other of this device, or null where nobody knows. Processes of one boot with one
     * {@link #monoMicros} then share what they learn of the server's clock, if they share a directory.
     */
    String bootId();

    /** Any JVM: {@link System#nanoTime}, which may stop in sleep and counts from anywhere. */
    Clocks SYSTEM = new Clocks() {
        // Nothing is sent that counts from before this process: nanoTime may be negative.
        private final long originNanos = System.nanoTime();

        @Override
        public long monoMicros() {
            return (System.nanoTime() - originNanos) / 1000;
        }

        @Override
        public long wallMicros() {
            return System.currentTimeMillis() * 1000;
        }

        @Override
        public boolean countsSleep() {
            return false;
        }

        @Override
        public String bootId() {
            return null;
        }
    };
}
