package firsthop;

import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.Locale;
import java.util.Random;
import java.util.TimeZone;

/**
 * What an answer means for a batch, and when the next attempt may be made: one for all batches, for who is overloaded is so
 * for all of them. Times are µs of the monotonic clock.
 */
final class RetrySchedule {
    private static final long SECOND_US = 1_000_000;
    private static final long LONGEST_BACKOFF_US = 300 * SECOND_US;
    private static final long LONGEST_RETRY_AFTER_US = 3_600 * SECOND_US;

    private final Random random;
    private int failures;
    /** No attempt before this; {@link Long#MIN_VALUE}: at once. */
    long notBeforeUs = Long.MIN_VALUE;
    /** Nothing is sent any more by this process: key or address are wrong, so no other batch would fare better. */
    boolean stopped;

    enum Fate {
        ACCEPTED,
        LATER,
        HALVE,
        DROP,
        STOP
    }

    RetrySchedule(Random random) {
        this.random = random;
    }

    /** What becomes of a batch by the status of its answer; 0 for none. */
    static Fate fateOf(int status) {
        if (status >= 200 && status < 300) return Fate.ACCEPTED;
        if (status == 413) return Fate.HALVE;
        if (status == 401 || status == 403 || status == 404 || status == 410) return Fate.STOP;
        return status >= 400 && status < 500 && status != 408 && status != 429 ? Fate.DROP : Fate.LATER;
    }

    /** Takes note of an answer known at {@code nowUs}; the two headers may be null. */
    Fate answered(int status, long nowUs, String retryAfter, String date) {
        Fate fate = fateOf(status);
        if (fate == Fate.STOP) stopped = true;
        if (fate == Fate.LATER) {
            // The jitter comes on top of what the server asks for, or all its clients come back at once.
            notBeforeUs = nowUs + retryAfterUs(retryAfter, date) + jitterUs();
            failures++;
        } else {
            failures = 0;
            notBeforeUs = Long.MIN_VALUE;
        }
        return fate;
    }

    private long jitterUs() {
        return (long) (random.nextDouble() * Math.min(LONGEST_BACKOFF_US, SECOND_US << Math.min(failures, 32)));
    }

    /** Seconds, or a date, which counts from the answer's own: the device's wall clock may be wrong by years. */
    static long retryAfterUs(String retryAfter, String date) {
        String asked = retryAfter == null ? "" : retryAfter.trim();
        if (isDigits(asked)) {
            return asked.length() > 9 ? LONGEST_RETRY_AFTER_US : Math.min(Long.parseLong(asked) * SECOND_US, LONGEST_RETRY_AFTER_US);
        }
        Date until = date(asked);
        Date answered = date(date == null ? "" : date.trim());
        if (until == null || answered == null) return 0;
        long passedUs = (until.getTime() - answered.getTime()) * 1000;
        return Math.min(Math.max(passedUs, 0), LONGEST_RETRY_AFTER_US);
    }

    private static boolean isDigits(String text) {
        for (int i = 0; i < text.length(); i++) if (text.charAt(i) < '0' || text.charAt(i) > '9') return false;
        return !text.isEmpty();
    }

    private static Date date(String text) {
        SimpleDateFormat format = new SimpleDateFormat("EEE, dd MMM yyyy HH:mm:ss zzz", Locale.US);
        format.setTimeZone(TimeZone.getTimeZone("GMT"));
        try {
            return format.parse(text);
        } catch (ParseException none) {
            return null;
        }
    }
}
