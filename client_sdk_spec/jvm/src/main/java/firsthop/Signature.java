package firsthop;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;

/** Who wrote a configuration: Ed25519 by the platform (Java 15, Android 13 and later). */
final class Signature {
    /** What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410). */
    private static final byte[] KEY_HEAD = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    private static final int KEY_BYTES = 32;

    private Signature() {}

    /**
     * Whether the header {@code Firsthop-Signature} holds for these bytes. False also where the platform has no Ed25519: what
     * cannot be checked is not believed.
     *
     * @param publicKey base64, as {@code firsthop app list} shows it
     */
    static boolean holds(byte[] body, String header, String publicKey) {
        if (header == null) return false;
        int at = header.indexOf("ed25519=");
        byte[] key = base64(publicKey);
        byte[] signature = at < 0 ? null : base64(header.substring(at + "ed25519=".length()).split("[;\\s]", 2)[0]);
        if (key == null || key.length != KEY_BYTES || signature == null) return false;
        byte[] encoded = new byte[KEY_HEAD.length + KEY_BYTES];
        System.arraycopy(KEY_HEAD, 0, encoded, 0, KEY_HEAD.length);
        System.arraycopy(key, 0, encoded, KEY_HEAD.length, KEY_BYTES);
        try {
            PublicKey made = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
            java.security.Signature check = java.security.Signature.getInstance("Ed25519");
            check.initVerify(made);
            check.update(body);
            return check.verify(signature);
        } catch (GeneralSecurityException notHereOrBroken) {
            return false;
        }
    }

    /** Null for what is no base64. By hand: java.util.Base64 came to Android with 8.0. */
    static byte[] base64(String text) {
        String digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        String trimmed = text.replaceAll("=+$", "");
        byte[] bytes = new byte[trimmed.length() * 6 / 8];
        int bits = 0;
        int count = 0;
        int used = 0;
        for (int i = 0; i < trimmed.length(); i++) {
            int digit = digits.indexOf(trimmed.charAt(i));
            if (digit < 0) return null;
            bits = bits << 6 | digit;
            count += 6;
            if (count < 8) continue;
            count -= 8;
            bytes[used++] = (byte) (bits >> count);
        }
        return bytes;
    }
}
