package firsthop;

import java.io.IOException;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Where sealed batches and the client's own notes are kept. Used by one thread. */
interface Storage {
    /** Most bytes that all batches may take here. */
    long mostBytes();

    /** How many bytes this one takes here. */
    long room(SealedBatch batch);

    /** What an earlier process left, oldest first. */
    List<BatchQueue.Entry> found();

    /** How many spans were in files that an earlier process had not finished or that cannot be read by their names. */
    long lostSpans();

    /** @throws IOException when it is not kept, for instance because the disk is full */
    void put(BatchQueue.Entry entry, SealedBatch batch) throws IOException;

    /** Null when it is not what was put. */
    SealedBatch get(BatchQueue.Entry entry);

    void remove(BatchQueue.Entry entry);

    /** A note under this name, or null. */
    byte[] note(String name);

    /** Keeps a note; what cannot be kept is forgotten with the process. */
    void note(String name, byte[] content);

    /** Lets another process have it. */
    void close();

    /** In the process's memory. */
    class Memory implements Storage {
        private static final long MOST_BYTES = 384 * 1024;
        /** Of a batch beside its body, about. */
        private static final long OWN_BYTES = 256;
        private final Map<BatchQueue.Entry, SealedBatch> batches = new IdentityHashMap<>();
        private final Map<String, byte[]> notes = new HashMap<>();

        @Override
        public long mostBytes() {
            return MOST_BYTES;
        }

        @Override
        public long room(SealedBatch batch) {
            return batch.body.length + OWN_BYTES;
        }

        @Override
        public List<BatchQueue.Entry> found() {
            return Collections.emptyList();
        }

        @Override
        public long lostSpans() {
            return 0;
        }

        @Override
        public void put(BatchQueue.Entry entry, SealedBatch batch) {
            batches.put(entry, batch);
        }

        @Override
        public SealedBatch get(BatchQueue.Entry entry) {
            return batches.get(entry);
        }

        @Override
        public void remove(BatchQueue.Entry entry) {
            batches.remove(entry);
        }

        @Override
        public byte[] note(String name) {
            return notes.get(name);
        }

        @Override
        public void note(String name, byte[] content) {
            notes.put(name, content);
        }

        @Override
        public void close() {}
    }
}
