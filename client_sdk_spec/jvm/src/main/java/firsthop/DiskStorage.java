package firsthop;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * One directory, one file for each batch: {@code <sequence>-<rank>-<spans>-<sealed>-<counters>.batch}. The name says what is lost when
 * the file cannot be read. The directory belongs to one process at a time.
 */
final class DiskStorage implements Storage {
    private static final long MOST_BYTES = 10L * 1024 * 1024;
    /** What a file system takes for the smallest file, and by what it counts. */
    private static final long BLOCK = 4096;
    private static final String BATCH = ".batch";
    private static final String LOCK = "lock";

    private final File directory;
    private final RandomAccessFile lockFile;
    private final FileLock lock;
    private final List<BatchQueue.Entry> found = new ArrayList<>();
    /** What the disk would not take, being full, say: sent by this process or lost with it. */
    private final Storage.Memory aside = new Storage.Memory();
    private long asideBytes;
    private long lostSpans;

    private DiskStorage(File directory, RandomAccessFile lockFile, FileLock lock) {
        this.directory = directory;
        this.lockFile = lockFile;
        this.lock = lock;
        look();
    }

    /** Null where the directory cannot be made or written, or belongs to another process. */
    static DiskStorage open(File directory) {
        if (!directory.isDirectory() && !directory.mkdirs()) return null;
        RandomAccessFile file = null;
        try {
            file = new RandomAccessFile(new File(directory, LOCK), "rw");
            FileLock lock = file.getChannel().tryLock();
            if (lock != null) return new DiskStorage(directory, file, lock);
        } catch (IOException | OverlappingFileLockException taken) {
            // as if there were no directory
        }
        closeQuietly(file);
        return null;
    }

    private void look() {
        String[] names = directory.list();
        if (names == null) return;
        for (String name : names) {
            boolean unfinished = name.endsWith(BATCH + Durable.UNFINISHED);
            String whole = unfinished ? name.substring(0, name.length() - Durable.UNFINISHED.length()) : name;
            if (!whole.endsWith(BATCH)) continue;
            File file = new File(directory, name);
            BatchQueue.Entry entry = entry(whole, blocks(file.length()));
            if (!unfinished && entry != null) {
                found.add(entry);
                continue;
            }
            if (entry != null) lostSpans += entry.spans;
            file.delete();
        }
        Collections.sort(found, new Comparator<BatchQueue.Entry>() {
            @Override
            public int compare(BatchQueue.Entry one, BatchQueue.Entry other) {
                return Long.compare(one.sequence, other.sequence);
            }
        });
    }

    /** Null for a name that this class does not give. */
    private static BatchQueue.Entry entry(String name, long bytes) {
        String[] parts = name.substring(0, name.length() - BATCH.length()).split("-");
        if (parts.length != 5 || parts[1].length() != 1) return null;
        Rank rank = Rank.of(parts[1].charAt(0));
        try {
            long sequence = Long.parseLong(parts[0], 16);
            int spans = Integer.parseInt(parts[2]);
            long sealedWallUs = Long.parseLong(parts[3]);
            long counters = Long.parseLong(parts[4], 16) - 1;
            return rank == null ? null : new BatchQueue.Entry(sequence, rank, spans, bytes, sealedWallUs, counters);
        } catch (NumberFormatException foreign) {
            return null;
        }
    }

    private File file(BatchQueue.Entry entry) {
        // A minus would part the name: no counters (−1) are written as 0.
        String name = String.format(
                Locale.ROOT,
                "%016x-%c-%d-%d-%x",
                entry.sequence,
                entry.rank.letter,
                entry.spans,
                Math.max(entry.sealedWallUs, 0),
                entry.counters + 1);
        return new File(directory, name + BATCH);
    }

    @Override
    public long mostBytes() {
        return MOST_BYTES;
    }

    @Override
    public long room(SealedBatch batch) {
        return blocks(batch.toBytes().length);
    }

    private static long blocks(long bytes) {
        return (bytes + BLOCK - 1) / BLOCK * BLOCK;
    }

    @Override
    public List<BatchQueue.Entry> found() {
        return found;
    }

    @Override
    public long lostSpans() {
        return lostSpans;
    }

    @Override
    public void put(BatchQueue.Entry entry, SealedBatch batch) throws IOException {
        try {
            Durable.write(file(entry), batch.toBytes());
        } catch (IOException full) {
            if (asideBytes + entry.bytes > aside.mostBytes()) throw full;
            aside.put(entry, batch);
            asideBytes += entry.bytes;
        }
    }

    @Override
    public SealedBatch get(BatchQueue.Entry entry) {
        SealedBatch held = aside.get(entry);
        if (held != null) return held;
        byte[] content = Durable.read(file(entry));
        try {
            return content == null ? null : SealedBatch.fromBytes(content);
        } catch (MessagePack.Malformed foreign) {
            return null;
        }
    }

    @Override
    public void remove(BatchQueue.Entry entry) {
        if (aside.get(entry) == null) {
            file(entry).delete();
        } else {
            aside.remove(entry);
            asideBytes -= entry.bytes;
        }
    }

    @Override
    public byte[] note(String name) {
        return Durable.read(new File(directory, name));
    }

    @Override
    public void note(String name, byte[] content) {
        try {
            Durable.write(new File(directory, name), content);
        } catch (IOException full) {
            // the next note tries again
        }
    }

    @Override
    public void close() {
        try {
            lock.release();
        } catch (IOException gone) {
            // closing the file releases it, too
        }
        closeQuietly(lockFile);
    }

    private static void closeQuietly(RandomAccessFile file) {
        try {
            if (file != null) file.close();
        } catch (IOException gone) {
            // nothing is written through it
        }
    }
}
