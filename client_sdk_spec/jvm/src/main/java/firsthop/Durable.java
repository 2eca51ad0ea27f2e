package firsthop;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * Whole files or none: written aside, forced to the disk, then renamed; with a checksum in front, so that what a broken disk
 * gives back is not taken for what was written. Only java.io, which every Android has. The directory itself cannot be
 * forced that way: when power fails, the last rename may be undone.
 */
final class Durable {
    /** Files with this ending were not finished. */
    static final String UNFINISHED = ".tmp";
    private static final int MAGIC = 0x66680001;
    private static final int HEAD = 12;

    private Durable() {}

    /** @throws IOException when the disk is full or refuses; then the file is as it was before. */
    static void write(File file, byte[] content) throws IOException {
        File aside = new File(file.getPath() + UNFINISHED);
        try {
            try (FileOutputStream out = new FileOutputStream(aside)) {
                CRC32 checksum = new CRC32();
                checksum.update(content);
                out.write(ByteBuffer.allocate(HEAD).putInt(MAGIC).putLong(checksum.getValue()).array());
                out.write(content);
                out.getFD().sync();
            }
            // Where renaming does not replace (Windows), what is there goes first.
            if (!aside.renameTo(file) && !(file.delete() && aside.renameTo(file))) throw new IOException("not renamed");
        } catch (IOException failed) {
            aside.delete();
            throw failed;
        }
    }

    /** The content, or null where there is no such file or it is not what was written. */
    static byte[] read(File file) {
        try (InputStream in = new FileInputStream(file)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] piece = new byte[8192];
            for (int count; (count = in.read(piece)) >= 0; ) out.write(piece, 0, count);
            ByteBuffer whole = ByteBuffer.wrap(out.toByteArray());
            if (whole.remaining() < HEAD || whole.getInt() != MAGIC) return null;
            long expected = whole.getLong();
            byte[] content = new byte[whole.remaining()];
            whole.get(content);
            CRC32 checksum = new CRC32();
            checksum.update(content);
            return checksum.getValue() == expected ? content : null;
        } catch (IOException unreadable) {
            return null;
        }
    }
}
