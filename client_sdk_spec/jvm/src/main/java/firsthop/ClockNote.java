package firsthop;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The clock and what is kept of it beside the batches: a batch may be sent by a later boot, and needs the anchor of its own. */
final class ClockNote {
    private static final String NOTE = "clock";

    final DeviceClock clock;
    private final Storage storage;
    private final String bootId;
    private boolean changed = true;

    ClockNote(Clocks clocks, final Random random, Storage storage) {
        this.storage = storage;
        this.bootId = clocks.bootId() == null ? "" : clocks.bootId();
        Iterator<String> names = new Iterator<String>() {
            @Override
            public boolean hasNext() {
                return true;
            }

            @Override
            public String next() {
                return Hex.of(random.nextLong());
            }

            @Override
            public void remove() {
                throw new UnsupportedOperationException();
            }
        };
        Map<?, ?> note = read();
        boolean sameBoot = note != null && !bootId.isEmpty() && bootId.equals(note.get("boot"));
        clock = new DeviceClock(clocks, names, note == null ? null : kept(note), sameBoot);
    }

    /** It has something to keep. */
    void changed() {
        changed = true;
    }

    void keep() {
        if (!changed) return;
        changed = false;
        DeviceClock.Kept kept = clock.kept();
        Map<String, Object> anchors = new LinkedHashMap<>();
        for (Map.Entry<String, Anchor> entry : kept.anchors.entrySet()) {
            Anchor anchor = entry.getValue();
            anchors.put(entry.getKey(), Arrays.<Object>asList(anchor.offsetUs, anchor.errUs, anchor.atUs));
        }
        Map<String, Object> note = new LinkedHashMap<>();
        note.put("boot", bootId);
        note.put("epoch", kept.epoch);
        note.put("mono_us", kept.monoUs);
        note.put("wall_us", kept.wallUs);
        note.put("steps", kept.steps);
        note.put("anchors", anchors);
        storage.note(NOTE, MessagePack.pack(note));
    }

    private Map<?, ?> read() {
        byte[] note = storage.note(NOTE);
        try {
            return note == null ? null : (Map<?, ?>) MessagePack.unpack(note);
        } catch (MessagePack.Malformed | ClassCastException foreign) {
            return null;
        }
    }

    /** Null when another version wrote it. */
    private static DeviceClock.Kept kept(Map<?, ?> note) {
        try {
            Map<String, Anchor> anchors = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) note.get("anchors")).entrySet()) {
                List<?> anchor = (List<?>) entry.getValue();
                anchors.put(
                        (String) entry.getKey(),
                        new Anchor((Long) anchor.get(0), (Long) anchor.get(1), (Long) anchor.get(2)));
            }
            return new DeviceClock.Kept(
                    (String) note.get("epoch"),
                    (Long) note.get("mono_us"),
                    (Long) note.get("wall_us"),
                    (Long) note.get("steps"),
                    anchors);
        } catch (ClassCastException | NullPointerException | IndexOutOfBoundsException foreign) {
            return null;
        }
    }
}
