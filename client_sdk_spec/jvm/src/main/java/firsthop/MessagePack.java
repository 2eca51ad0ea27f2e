package firsthop;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MessagePack of what a batch holds: null, Boolean, whole numbers, Double, String, byte[], List, and Map with text keys. Every
 * value has one encoding, the shortest.
 */
final class MessagePack {
    private static final int MOST_DEPTH = 8;

    private MessagePack() {}

    /** What cannot be read back. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }
    }

    static byte[] pack(Object value) {
        Packer packer = new Packer();
        packer.any(value);
        return Arrays.copyOf(packer.bytes, packer.used);
    }

    /** @throws Malformed when it is not whole, nested too deep, of another type, or when something follows. */
    static Object unpack(byte[] packed) throws Malformed {
        Unpacker unpacker = new Unpacker(packed);
        try {
            Object value = unpacker.any(0);
            if (unpacker.from.hasRemaining()) throw new Malformed("something follows");
            return value;
        } catch (java.nio.BufferUnderflowException cut) {
            throw new Malformed("cut short");
        }
    }

    private static final class Packer {
        byte[] bytes = new byte[4096];
        int used;
        // Half of a surrogate pair becomes U+FFFD, as the server would read it.
        private final CharsetEncoder utf8 = StandardCharsets.UTF_8
                .newEncoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .replaceWith(new byte[] {(byte) 0xef, (byte) 0xbf, (byte) 0xbd});

        void any(Object value) {
            if (value == null) put(0xc0);
            else if (value instanceof Boolean) put((Boolean) value ? 0xc3 : 0xc2);
            else if (value instanceof Double) big(0xcb, 8, Double.doubleToRawLongBits((Double) value));
            else if (value instanceof Number) whole(((Number) value).longValue());
            else if (value instanceof String) text((String) value);
            else if (value instanceof byte[]) binary((byte[]) value);
            else if (value instanceof List) array((List<?>) value);
            else map((Map<?, ?>) value);
        }

        private void whole(long value) {
            if (value >= 0) {
                if (value < 0x80) put((int) value);
                else if (value < 1L << 8) big(0xcc, 1, value);
                else if (value < 1L << 16) big(0xcd, 2, value);
                else if (value < 1L << 32) big(0xce, 4, value);
                else big(0xcf, 8, value);
            } else if (value >= -32) put((int) value);
            else if (value >= Byte.MIN_VALUE) big(0xd0, 1, value);
            else if (value >= Short.MIN_VALUE) big(0xd1, 2, value);
            else if (value >= Integer.MIN_VALUE) big(0xd2, 4, value);
            else big(0xd3, 8, value);
        }

        private void text(String text) {
            ByteBuffer encoded;
            try {
                encoded = utf8.encode(CharBuffer.wrap(text));
            } catch (CharacterCodingException impossible) {
                throw new IllegalStateException(impossible);
            }
            int length = encoded.remaining();
            if (length < 32) put(0xa0 | length);
            else if (length < 1 << 8) big(0xd9, 1, length);
            else if (length < 1 << 16) big(0xda, 2, length);
            else big(0xdb, 4, length);
            raw(encoded.array(), encoded.arrayOffset() + encoded.position(), length);
        }

        private void binary(byte[] value) {
            if (value.length < 1 << 8) big(0xc4, 1, value.length);
            else if (value.length < 1 << 16) big(0xc5, 2, value.length);
            else big(0xc6, 4, value.length);
            raw(value, 0, value.length);
        }

        private void array(List<?> values) {
            int size = values.size();
            if (size < 16) put(0x90 | size);
            else if (size < 1 << 16) big(0xdc, 2, size);
            else big(0xdd, 4, size);
            for (Object value : values) any(value);
        }

        private void map(Map<?, ?> values) {
            int size = values.size();
            if (size < 16) put(0x80 | size);
            else if (size < 1 << 16) big(0xde, 2, size);
            else big(0xdf, 4, size);
            for (Map.Entry<?, ?> entry : values.entrySet()) {
                text((String) entry.getKey());
                any(entry.getValue());
            }
        }

        private void put(int value) {
            room(1);
            bytes[used++] = (byte) value;
        }

        private void big(int head, int width, long value) {
            put(head);
            room(width);
            for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) bytes[used++] = (byte) (value >>> shift);
        }

        private void raw(byte[] value, int at, int length) {
            room(length);
            System.arraycopy(value, at, bytes, used, length);
            used += length;
        }

        private void room(int more) {
            if (used + more > bytes.length) bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, used + more));
        }
    }

    private static final class Unpacker {
        final ByteBuffer from;

        Unpacker(byte[] packed) {
            from = ByteBuffer.wrap(packed);
        }

        Object any(int depth) throws Malformed {
            if (depth > MOST_DEPTH) throw new Malformed("nested too deep");
            int head = from.get() & 0xff;
            if (head < 0x80) return (long) head;
            if (head < 0x90) return map(head & 15, depth);
            if (head < 0xa0) return array(head & 15, depth);
            if (head < 0xc0) return text(head & 31);
            if (head >= 0xe0) return (long) (byte) head;
            switch (head) {
                case 0xc0: return null;
                case 0xc2: return false;
                case 0xc3: return true;
                case 0xc4: return binary(from.get() & 0xff);
                case 0xc5: return binary(from.getShort() & 0xffff);
                case 0xc6: return binary(from.getInt());
                case 0xcb: return from.getDouble();
                case 0xcc: return (long) (from.get() & 0xff);
                case 0xcd: return (long) (from.getShort() & 0xffff);
                case 0xce: return from.getInt() & 0xffffffffL;
                case 0xcf:
                case 0xd3: return from.getLong();
                case 0xd0: return (long) from.get();
                case 0xd1: return (long) from.getShort();
                case 0xd2: return (long) from.getInt();
                case 0xd9: return text(from.get() & 0xff);
                case 0xda: return text(from.getShort() & 0xffff);
                case 0xdb: return text(from.getInt());
                case 0xdc: return array(from.getShort() & 0xffff, depth);
                case 0xdd: return array(from.getInt(), depth);
                case 0xde: return map(from.getShort() & 0xffff, depth);
                case 0xdf: return map(from.getInt(), depth);
                default: throw new Malformed("a type that no batch holds");
            }
        }

        private byte[] binary(int length) throws Malformed {
            byte[] value = new byte[checked(length)];
            from.get(value);
            return value;
        }

        private String text(int length) throws Malformed {
            return new String(binary(length), StandardCharsets.UTF_8);
        }

        private List<Object> array(int size, int depth) throws Malformed {
            List<Object> values = new ArrayList<>(checked(size));
            for (int i = 0; i < size; i++) values.add(any(depth + 1));
            return values;
        }

        private Map<String, Object> map(int size, int depth) throws Malformed {
            Map<String, Object> values = new LinkedHashMap<>();
            checked(size);
            for (int i = 0; i < size; i++) {
                Object key = any(depth + 1);
                if (!(key instanceof String)) throw new Malformed("a key that is no text");
                values.put((String) key, any(depth + 1));
            }
            return values;
        }

        /** Every element takes a byte at least: a length beyond what is left is refused before memory is taken for it. */
        private int checked(int length) throws Malformed {
            if (length < 0 || length > from.remaining()) throw new Malformed("cut short");
            return length;
        }
    }
}
