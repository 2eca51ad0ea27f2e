package firsthop;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Epochs, {@code clock} maps, send stamps and anchors: {@code clock.py} in Java. All times are whole µs. Any thread may call
 * it; no call waits for anything but another call.
 */
final class DeviceClock {
    /** A change of wall − mono beyond this, from sample to sample, is a sleep or a step, not drift. */
    static final long STEP_US = 250_000;
    /** Epochs remembered beside the current one; the oldest is forgotten. */
    static final int EPOCHS = 16;
    /** Of each epoch of this boot: a batch that waited for hours is nearer to an earlier one. */
    static final int ANCHORS = 8;

    private final Clocks clocks;
    private final Iterator<String> names;
    private final LinkedHashMap<String, Epoch> epochs = new LinkedHashMap<>();
    private final LinkedHashMap<String, Anchor> anchors = new LinkedHashMap<>();
    private String epoch;
    private long rttUs = -1;

    /** One stretch in which the monotonic clock can be compared with itself. */
    private static final class Epoch {
        final long beganUs;
        /** Change of wall − mono that ended the epoch before this one. */
        final long jumpUs;
        long monoUs;
        long wallUs;
        long steps;
        final List<Anchor> anchors = new ArrayList<>();

        Epoch(long monoUs, long wallUs, long jumpUs) {
            this.beganUs = monoUs;
            this.monoUs = monoUs;
            this.wallUs = wallUs;
            this.jumpUs = jumpUs;
        }

        /** Of more than {@link #ANCHORS} one is left out, where they stand close or are poor; not the first nor the newest. */
        void keep(Anchor anchor) {
            anchors.add(anchor);
            if (anchors.size() <= ANCHORS) return;
            int least = 1;
            for (int row = 2; row < anchors.size() - 1; row++) if (worthUs(row) < worthUs(least)) least = row;
            anchors.remove(least);
        }

        /** How much would be lost between its neighbours without it. */
        private long worthUs(int row) {
            long apartUs = anchors.get(row + 1).atUs - anchors.get(row - 1).atUs;
            return apartUs * Anchor.DRIFT_PPM / 1_000_000 - 2 * anchors.get(row).errUs;
        }
    }

    /** What is kept where batches are kept, so that a later process may go on with it. */
    static final class Kept {
        final String epoch;
        final long monoUs;
        final long wallUs;
        final long steps;
        final Map<String, Anchor> anchors;

        Kept(String epoch, long monoUs, long wallUs, long steps, Map<String, Anchor> anchors) {
            this.epoch = epoch;
            this.monoUs = monoUs;
            this.wallUs = wallUs;
            this.steps = steps;
            this.anchors = anchors;
        }
    }

    /**
     * @param names of epochs; none may ever be given twice
     * @param kept of an earlier process, or null
     * @param sameBoot whether the epoch of {@code kept} goes on
     */
    DeviceClock(Clocks clocks, Iterator<String> names, Kept kept, boolean sameBoot) {
        this.clocks = clocks;
        this.names = names;
        if (kept != null) anchors.putAll(kept.anchors);
        boolean goesOn = kept != null && sameBoot && clocks.countsSleep() && kept.monoUs <= clocks.monoMicros();
        if (goesOn) {
            epoch = kept.epoch;
            Epoch resumed = new Epoch(kept.monoUs, kept.wallUs, 0);
            resumed.steps = kept.steps;
            epochs.put(epoch, resumed);
            sample();
        } else {
            epoch = names.next();
            epochs.put(epoch, new Epoch(clocks.monoMicros(), clocks.wallMicros(), 0));
        }
    }

    /** Reads both clocks: counts a step of the wall clock, or begins a new epoch where sleep may have passed. */
    synchronized void sample() {
        long monoUs = clocks.monoMicros();
        long wallUs = clocks.wallMicros();
        Epoch now = epochs.get(epoch);
        long jumpUs = (wallUs - monoUs) - (now.wallUs - now.monoUs);
        boolean jumped = Math.abs(jumpUs) > STEP_US;
        if (jumped && !clocks.countsSleep()) {
            begin(monoUs, wallUs, jumpUs);
            return;
        }
        if (jumped) now.steps++;
        now.monoUs = monoUs;
        now.wallUs = wallUs;
    }

    /** The monotonic clock, now, in the epoch of {@link #epoch}. */
    synchronized long read() {
        sample();
        return epochs.get(epoch).monoUs;
    }

    synchronized String epoch() {
        return epoch;
    }

    private void begin(long monoUs, long wallUs, long jumpUs) {
        epoch = names.next();
        epochs.put(epoch, new Epoch(monoUs, wallUs, jumpUs));
        if (epochs.size() > EPOCHS + 1) epochs.remove(epochs.keySet().iterator().next());
        trimAnchors();
    }

    /** The {@code clock} map of a batch sealed now; of an older epoch both clocks are told as last seen in it. */
    synchronized Map<String, Object> sealed(String ofEpoch) {
        if (ofEpoch.equals(epoch)) sample();
        Map<String, Object> clock = new LinkedHashMap<>();
        clock.put("kind", "mono");
        clock.put("epoch", ofEpoch);
        Epoch then = epochs.get(ofEpoch);
        if (then == null) return clock; // forgotten: it is dated by when it is received
        clock.put("mono_us", then.monoUs);
        clock.put("wall_us", then.wallUs);
        clock.put("steps", then.steps);
        return clock;
    }

    /**
     * Query parameters for an attempt made now with a batch of that epoch. Of the anchors one of the batch's own epoch
     * is sent, else that of the current one, together with the bridge that leads from one to the other.
     *
     * @param nearUs where on the monotonic clock the batch's spans are; the best anchor for there is sent
     */
    synchronized Map<String, String> stamp(String batchEpoch, long nearUs) {
        sample();
        Epoch now = epochs.get(epoch);
        Map<String, String> stamp = new LinkedHashMap<>();
        stamp.put("s", Long.toString(now.monoUs));
        stamp.put("w", Long.toString(now.wallUs));
        stamp.put("e", epoch);
        if (rttUs >= 0) stamp.put("r", Long.toString(rttUs));
        String anchored = anchors.containsKey(batchEpoch) ? batchEpoch : anchors.containsKey(epoch) ? epoch : null;
        if (anchored != null) {
            Anchor anchor = anchored.equals(batchEpoch) ? best(anchored, nearUs) : anchors.get(anchored);
            stamp.put("o", Long.toString(anchor.offsetUs));
            stamp.put("d", Long.toString(anchor.errUs));
            stamp.put("t", Long.toString(anchor.atUs));
            if (!anchored.equals(epoch)) stamp.put("oe", anchored);
        }
        Long bridgeUs = bridge(batchEpoch);
        if (bridgeUs != null) stamp.put("b", bridgeUs.toString());
        return stamp;
    }

    private Anchor best(String ofEpoch, long nearUs) {
        Anchor best = anchors.get(ofEpoch);
        Epoch then = epochs.get(ofEpoch);
        if (then == null) return best;
        for (Anchor anchor : then.anchors) if (anchor.reachUs(nearUs) < best.reachUs(nearUs)) best = anchor;
        return best;
    }

    /**
     * Change of wall − mono from that epoch to this one; null when there is nothing to bridge, or nothing that may be
     * added up: epochs of an earlier boot, forgotten ones, and jumps of both signs, of which a sleep and a step back may
     * have hidden each other.
     */
    private Long bridge(String batchEpoch) {
        if (!epochs.containsKey(batchEpoch) || batchEpoch.equals(epoch)) return null;
        long sum = 0;
        long size = 0;
        boolean passed = false;
        for (Map.Entry<String, Epoch> entry : epochs.entrySet()) {
            if (passed) {
                sum += entry.getValue().jumpUs;
                size += Math.abs(entry.getValue().jumpUs);
            }
            passed |= entry.getKey().equals(batchEpoch);
        }
        return Math.abs(sum) == size ? sum : null;
    }

    /**
     * Makes an anchor of an answer, and keeps it if it is the better one now.
     *
     * @param sentUs the monotonic clock when the request was sent: {@code s} of its stamp, or better, when its head was
     *     written after all handshakes
     * @param answeredUs the same when the answer's first byte was there
     * @param receivedUs of the answer
     * @param repliedUs of the answer
     */
    synchronized void answered(long sentUs, long answeredUs, long receivedUs, long repliedUs) {
        sample();
        long passedUs = answeredUs - sentUs;
        long driftUs = passedUs * Anchor.DRIFT_PPM / 1_000_000 + 1;
        long roundTripUs = passedUs - (repliedUs - receivedUs);
        // The device slept meanwhile, or the server's clock was set.
        if (passedUs < 0 || sentUs < epochs.get(epoch).beganUs || roundTripUs < -driftUs) return;
        roundTripUs = Math.max(roundTripUs, 0);
        rttUs = rttUs < 0 ? roundTripUs : Math.min(rttUs, roundTripUs);
        // Shifted, not divided: halves go down, also below zero.
        long offsetUs = (receivedUs + repliedUs - sentUs - answeredUs) >> 1;
        Anchor made = new Anchor(offsetUs, roundTripUs / 2 + driftUs + 1, answeredUs); // + 1: for the halves
        epochs.get(epoch).keep(made);
        Anchor old = anchors.get(epoch);
        if (old == null || made.errUs <= old.reachUs(made.atUs)) {
            anchors.put(epoch, made);
            trimAnchors();
        }
    }

    private void trimAnchors() {
        int others = anchors.size() - (anchors.containsKey(epoch) ? 1 : 0);
        Iterator<String> oldest = anchors.keySet().iterator();
        while (others > EPOCHS) {
            if (oldest.next().equals(epoch)) continue;
            oldest.remove();
            others--;
        }
    }

    synchronized boolean isAnchored() {
        return anchors.containsKey(epoch);
    }

    synchronized Kept kept() {
        Epoch now = epochs.get(epoch);
        return new Kept(epoch, now.monoUs, now.wallUs, now.steps, new LinkedHashMap<>(anchors));
    }
}
