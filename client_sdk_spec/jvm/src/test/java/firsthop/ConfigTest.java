package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonParser;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The configuration: when it is asked for, what is believed, and what no answer does to the client. */
class ConfigTest {
    private static final long S = 1_000_000;
    private static final String ANSWER =
            "{\"v\":1,\"app\":7,\"ttl_s\":300,\"send\":true,\"class\":\"low\",\"sampling\":{\"th\":\"8\",\"routes\":"
                    + "{\"GET api.shop.example/cart\":\"0\"},\"always\":[\"error\",\"slow\",\"reported\"]},"
                    + "\"slow\":{\"default_ms\":3000,\"routes_ms\":{\"GET api.shop.example/cart\":410}}}";

    private final FakeEdge edge = new FakeEdge();
    private final FakeClocks clocks = new FakeClocks();
    private final Options options = new Options("https://edge.example", "key")
            .os("Android", "14")
            .device("Google", "Pixel 8", 8192)
            .clocks(clocks)
            .transport(edge)
            .random(new Random(3));

    private ConfigSource source() {
        return new ConfigSource(options, new Storage.Memory(), options.random);
    }

    private void answer(ConfigSource source, int status, String body) {
        source.answered(answer(status, body), clocks.monoUs);
    }

    private Transport.Answer answer(int status, String body) {
        edge.config = body;
        edge.configStatus = status;
        try {
            return edge.send(new Transport.Request("GET", "", edge.headers, null, clocks));
        } catch (java.io.IOException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Test
    void it_says_what_the_device_is_and_what_it_holds() {
        edge.headers.put("ETag", "\"abc\"");
        ConfigSource source = source();
        answer(source, 200, ANSWER);
        Transport.Request request = source.request(true);
        assertTrue(request.url.startsWith("https://edge.example/v1/config?"), request.url);
        for (String part : new String[] {"os=Android", "model=Pixel+8", "memory_mb=8192", "cores=", "clock=1"}) {
            assertTrue(request.url.contains(part), request.url);
        }
        assertEquals("key", request.headers.get("x-api-key"));
        assertEquals("\"abc\"", request.headers.get("If-None-Match"));
        assertFalse(source.request(false).url.contains("clock"));
    }

    @Test
    void it_asks_again_after_the_time_told_and_up_to_a_tenth_more() {
        ConfigSource source = source();
        long least = Long.MAX_VALUE;
        long most = 0;
        for (int i = 0; i < 500; i++) {
            answer(source, 200, ANSWER);
            least = Math.min(least, source.nextUs() - clocks.monoUs);
            most = Math.max(most, source.nextUs() - clocks.monoUs);
        }
        assertTrue(least >= 300 * S && least < 301 * S);
        assertTrue(most <= 330 * S && most > 329 * S);
    }

    @Test
    void on_any_other_answer_it_goes_on_with_what_it_holds_and_after_a_day_sends_everything() {
        ConfigSource source = source();
        answer(source, 200, ANSWER);
        for (int status : new int[] {304, 404, 500, 200}) {
            clocks.pass(300 * S);
            answer(source, status, status == 200 ? "<html>a hotel's page</html>" : "");
            assertEquals("8", source.inForce(clocks.monoUs).threshold.digits);
        }
        clocks.pass(24 * 3600 * S);
        source.answered(null, clocks.monoUs);
        assertEquals("0", source.inForce(clocks.monoUs).threshold.digits);
        answer(source, 304, "");
        assertEquals("8", source.inForce(clocks.monoUs).threshold.digits);
    }

    @Test
    void the_next_process_goes_on_with_it(@TempDir File directory) {
        DiskStorage storage = DiskStorage.open(directory);
        edge.headers.put("ETag", "\"abc\"");
        ConfigSource first = new ConfigSource(options, storage, options.random);
        answer(first, 200, ANSWER.replace("true", "false"));
        clocks.pass(3600 * S);
        ConfigSource second = new ConfigSource(options, storage, options.random);
        assertFalse(second.inForce(clocks.monoUs).send);
        assertEquals("\"abc\"", second.request(false).headers.get("If-None-Match"));
        clocks.pass(24 * 3600 * S);
        assertTrue(new ConfigSource(options, storage, options.random).inForce(clocks.monoUs).send);
        storage.close();
    }

    @Test
    void only_what_is_signed_for_this_app_is_believed_where_a_key_is_given() throws Exception {
        KeyPair keys;
        try {
            keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (NoSuchAlgorithmException before15) {
            assumeTrue(false, "Ed25519 came to Java with 15");
            return;
        }
        byte[] encoded = keys.getPublic().getEncoded();
        String publicKey = Base64.getEncoder().encodeToString(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
        java.security.Signature signer = java.security.Signature.getInstance("Ed25519");
        signer.initSign(keys.getPrivate());
        signer.update(ANSWER.getBytes(StandardCharsets.UTF_8));
        String signature = "keyid=0011223344556677; ed25519=" + Base64.getEncoder().encodeToString(signer.sign());
        edge.headers.put("Firsthop-Signature", signature);

        assertEquals("8", believed(publicKey, 7, ANSWER));
        assertEquals("0", believed(publicKey, 8, ANSWER));
        assertEquals("0", believed(publicKey, 7, ANSWER.replace("3000", "3001")));
        assertEquals("0", believed(publicKey.substring(4) + "AAAA", 7, ANSWER));
        assertEquals("0", believed("no key", 7, ANSWER));
        edge.headers.put("Firsthop-Signature", "ed25519=AAAA");
        assertEquals("0", believed(publicKey, 7, ANSWER));
        edge.headers.clear();
        assertEquals("0", believed(publicKey, 7, ANSWER));
    }

    private String believed(String publicKey, long app, String body) {
        options.signedBy(publicKey, app);
        ConfigSource source = source();
        answer(source, 200, body);
        return source.inForce(clocks.monoUs).threshold.digits;
    }

    @Test
    void base64_is_read_as_the_platform_reads_it() {
        Random random = new Random(2);
        for (int length = 0; length < 100; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            org.junit.jupiter.api.Assertions.assertArrayEquals(
                    bytes, Signature.base64(Base64.getEncoder().encodeToString(bytes)));
        }
    }

    @Test
    void an_answer_that_is_another_is_refused() {
        for (String wrong : new String[] {
            "", "null", "[]", "{}", "{\"v\":2}", ANSWER.replace("\"v\":1", "\"v\":\"1\""), ANSWER.replace("\"8\"", "\"\""),
            ANSWER.replace("\"8\"", "\"G\""), ANSWER.replace("\"8\"", "8"), ANSWER.replace("\"8\"", "\"123456789012345\""),
            ANSWER.replace("true", "1"), ANSWER.replace("3000", "-1"), ANSWER.replace("3000", "1e99"),
            ANSWER.replace("300,", "3.5,"), ANSWER.replace("410", "\"410\""), ANSWER + "x",
            ANSWER.replace("[\"error\",\"slow\",\"reported\"]", "\"error\"")
        }) {
            assertThrows(Json.Malformed.class, () -> ClientConfig.parse(wrong), wrong);
        }
    }

    /** Seeded: every answer is cut, mutated and spliced; it is read, or refused, and nothing else happens. */
    @Test
    void no_bytes_whatever_do_more_than_be_refused() {
        Random random = new Random(11);
        int read = 0;
        for (int round = 0; round < 100_000; round++) {
            StringBuilder text = new StringBuilder(ANSWER);
            for (int i = random.nextInt(4); i >= 0; i--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(4)) {
                    case 0: text.setCharAt(at, (char) random.nextInt(random.nextBoolean() ? 128 : 65536)); break;
                    case 1: text.delete(at, Math.min(at + 1 + random.nextInt(8), text.length())); break;
                    case 2: text.insert(at, "{}[]\",:\\u0-1e9".charAt(random.nextInt(14))); break;
                    default: text.insert(at, text.substring(at, Math.min(at + 20, text.length())));
                }
            }
            try {
                ClientConfig config = ClientConfig.parse(text.toString());
                assertNotNull(config.threshold);
                read++;
            } catch (Json.Malformed refused) {
                assertNotNull(refused.getMessage());
            }
        }
        assertTrue(read > 1000, read + " were still readable");
    }

    @Test
    void what_is_nested_or_long_without_end_is_refused_at_once() {
        StringBuilder deep = new StringBuilder();
        for (int i = 0; i < 60_000; i++) deep.append('[');
        assertThrows(Json.Malformed.class, () -> Json.parse(deep.toString()));
        assertThrows(Json.Malformed.class, () -> Json.parse(deep.append(deep).toString()));
    }

    @Test
    void json_is_read_as_another_parser_reads_it() throws Exception {
        for (String text : new String[] {
            "{\"a\":[1,-2,0.5,1e3,\"\\u00e9\\n\\\"\\\\\\/\",true,false,null,{}],\"b\":{}}", "9223372036854775807", "\"\\ud83d\\ude42\"", " [ ] "
        }) {
            Object read = Json.parse(text);
            String again = new com.google.gson.GsonBuilder().serializeNulls().create().toJson(read);
            assertEquals(normal(text), normal(again));
        }
    }

    private static String normal(String json) {
        return JsonParser.parseString(json).toString().replace("1e3", "1000.0");
    }
}
