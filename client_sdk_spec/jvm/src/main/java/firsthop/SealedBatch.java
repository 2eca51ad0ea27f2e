package firsthop;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/** A batch that is never written again: the same id and the same bytes on every attempt. */
final class SealedBatch {
    final UUID id;
    final Rank rank;
    final int spans;
    /** Of its clock: which stamp it needs. */
    final String epoch;
    /** Where on that clock its spans are. */
    final long nearUs;
    /** The drops that it reports; they are reported anew if it is given up. */
    final Map<String, Long> dropped;
    /** Compressed. */
    final byte[] body;
    /** Wall clock when sealed. */
    final long sealedWallUs;
    /** Which state of the drop counters it took along ({@link DropCounters}); −1: none. */
    final long counters;

    SealedBatch(
            UUID id,
            Rank rank,
            int spans,
            String epoch,
            long nearUs,
            Map<String, Long> dropped,
            byte[] body,
            long sealedWallUs,
            long counters) {
        this.id = id;
        this.rank = rank;
        this.spans = spans;
        this.epoch = epoch;
        this.nearUs = nearUs;
        this.dropped = dropped;
        this.body = body;
        this.sealedWallUs = sealedWallUs;
        this.counters = counters;
    }

    byte[] toBytes() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", Hex.bytes(id));
        map.put("rank", String.valueOf(rank.letter));
        map.put("spans", (long) spans);
        map.put("epoch", epoch);
        map.put("near_us", nearUs);
        map.put("dropped", dropped);
        map.put("sealed_wall_us", sealedWallUs);
        map.put("counters", counters);
        map.put("body", body);
        return MessagePack.pack(map);
    }

    /** @throws MessagePack.Malformed when these are not the bytes of a batch */
    static SealedBatch fromBytes(byte[] bytes) throws MessagePack.Malformed {
        try {
            Map<?, ?> map = (Map<?, ?>) MessagePack.unpack(bytes);
            Map<String, Long> dropped = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) map.get("dropped")).entrySet()) {
                dropped.put((String) entry.getKey(), (Long) entry.getValue());
            }
            java.nio.ByteBuffer id = java.nio.ByteBuffer.wrap((byte[]) map.get("id"));
            return new SealedBatch(
                    new UUID(id.getLong(), id.getLong()),
                    Rank.of(((String) map.get("rank")).charAt(0)),
                    ((Long) map.get("spans")).intValue(),
                    (String) map.get("epoch"),
                    (Long) map.get("near_us"),
                    dropped,
                    (byte[]) map.get("body"),
                    (Long) map.get("sealed_wall_us"),
                    (Long) map.get("counters"));
        } catch (ClassCastException | NullPointerException | IndexOutOfBoundsException | java.nio.BufferUnderflowException e) {
            throw new MessagePack.Malformed("not a batch");
        }
    }
}
