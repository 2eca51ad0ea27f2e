package firsthop;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** zlib with the preset dictionary, version 1 ({@code WIRE.md}, "Compression"). */
final class Compression {
    private static final int LEVEL = 6;
    private static final byte[] DICTIONARY = dictionary();

    private Compression() {}

    static byte[] deflate(byte[] body) {
        Deflater deflater = new Deflater(LEVEL);
        try {
            deflater.setDictionary(DICTIONARY);
            deflater.setInput(body);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream(body.length / 3 + 64);
            byte[] piece = new byte[4096];
            while (!deflater.finished()) out.write(piece, 0, deflater.deflate(piece));
            return out.toByteArray();
        } finally {
            deflater.end(); // its memory is not the garbage collector's
        }
    }

    /**
     * @throws DataFormatException when it is not whole, of another dictionary, or beyond {@code most} bytes
     */
    static byte[] inflate(byte[] compressed, int most) throws DataFormatException {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(compressed);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] piece = new byte[4096];
            while (!inflater.finished()) {
                int count = inflater.inflate(piece);
                if (count == 0 && inflater.needsDictionary()) setDictionary(inflater);
                else if (count == 0) throw new DataFormatException("cut short");
                out.write(piece, 0, count);
                if (out.size() > most) throw new DataFormatException("too long");
            }
            return out.toByteArray();
        } finally {
            inflater.end();
        }
    }

    private static void setDictionary(Inflater inflater) throws DataFormatException {
        try {
            inflater.setDictionary(DICTIONARY);
        } catch (IllegalArgumentException other) {
            throw new DataFormatException("another dictionary");
        }
    }

    private static byte[] dictionary() {
        try (InputStream in = Compression.class.getResourceAsStream("/firsthop/1.bin")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] piece = new byte[4096];
            for (int count; (count = in.read(piece)) >= 0; ) out.write(piece, 0, count);
            return out.toByteArray();
        } catch (IOException broken) {
            throw new IllegalStateException("the dictionary is missing from the jar", broken);
        }
    }
}
