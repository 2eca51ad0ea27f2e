package firsthop;

import java.util.Random;
import java.util.UUID;

/** Ids as lower-case hex digits and as bytes, big-endian. */
final class Hex {
    private static final char[] DIGITS = "0123456789abcdef".toCharArray();

    private Hex() {}

    static String of(long id) {
        char[] text = new char[16];
        for (int i = 0; i < 16; i++) text[i] = DIGITS[(int) (id >>> (60 - 4 * i)) & 15];
        return new String(text);
    }

    static String of(UUID id) {
        return of(id.getMostSignificantBits()) + of(id.getLeastSignificantBits());
    }

    /** Sixteen bytes. */
    static byte[] bytes(UUID id) {
        byte[] bytes = new byte[16];
        put(bytes, 0, id.getMostSignificantBits());
        put(bytes, 8, id.getLeastSignificantBits());
        return bytes;
    }

    static void put(byte[] bytes, int at, long id) {
        for (int i = 0; i < 8; i++) bytes[at + i] = (byte) (id >>> (56 - 8 * i));
    }

    /** A random id that is not all zeros. */
    static UUID random(Random random) {
        return new UUID(random.nextLong(), random.nextLong() | 1L << 63);
    }
}
