package firsthop;

import java.io.UnsupportedEncodingException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Asks for the configuration when it is due, and says which one is in force. Used by one thread. */
final class ConfigSource {
    private static final String NOTE = "config";
    /** A client that cannot ask keeps what it holds for so long. */
    private static final long LONGEST_US = 24L * 3600 * 1_000_000;

    private final Options options;
    private final Storage storage;
    private final Random random;
    private ClientConfig held = ClientConfig.EVERYTHING;
    private String etag = "";
    private long confirmedUs;
    private long nextUs;

    ConfigSource(Options options, Storage storage, Random random) {
        this.options = options;
        this.storage = storage;
        this.random = random;
        this.nextUs = options.clocks.monoMicros();
        resume();
    }

    private void resume() {
        byte[] note = storage.note(NOTE);
        if (note == null) return;
        try {
            Map<?, ?> map = (Map<?, ?>) MessagePack.unpack(note);
            long ageUs = Math.max(options.clocks.wallMicros() - (Long) map.get("wall_us"), 0);
            if (accept((byte[]) map.get("body"), (String) map.get("signature"))) {
                etag = (String) map.get("etag");
                confirmedUs = options.clocks.monoMicros() - ageUs;
            }
        } catch (MessagePack.Malformed | ClassCastException | NullPointerException foreign) {
            // written by another version: asked for anew
        }
    }

    ClientConfig inForce(long nowUs) {
        return nowUs - confirmedUs > LONGEST_US ? ClientConfig.EVERYTHING : held;
    }

    long nextUs() {
        return nextUs;
    }

    /** @param askTime whether the answer is to carry the server's clock */
    Transport.Request request(boolean askTime) {
        StringBuilder url = new StringBuilder(options.endpoint).append("/v1/config?v=1");
        parameter(url, "os", "os_name");
        parameter(url, "model", "device_model");
        parameter(url, "memory_mb", "memory_mb");
        parameter(url, "cores", "cores");
        if (askTime) url.append("&clock=1");
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("x-api-key", options.key);
        if (!etag.isEmpty()) headers.put("If-None-Match", etag);
        return new Transport.Request("GET", url.toString(), headers, null, options.clocks);
    }

    private void parameter(StringBuilder url, String name, String field) {
        Object value = options.resource.get(field);
        try {
            if (value != null) url.append('&').append(name).append('=').append(URLEncoder.encode(value.toString(), "UTF-8"));
        } catch (UnsupportedEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Takes note of an answer, or with null of its absence. On any but a good one it goes on with what it holds. */
    void answered(Transport.Answer answer, long nowUs) {
        if (answer != null && answer.status == 304) {
            confirmedUs = nowUs;
        } else if (answer != null && answer.status == 200 && accept(answer.body, answer.header("Firsthop-Signature"))) {
            confirmedUs = nowUs;
            etag = answer.header("ETag") == null ? "" : answer.header("ETag");
            keep(answer);
        }
        // Not all devices at once.
        nextUs = nowUs + (long) (held.ttlS * 1_000_000 * (1 + random.nextDouble() / 10));
    }

    private boolean accept(byte[] body, String signature) {
        if (options.publicKey != null && !Signature.holds(body, signature, options.publicKey)) return false;
        try {
            ClientConfig config = ClientConfig.parse(new String(body, StandardCharsets.UTF_8));
            if (options.publicKey != null && config.app != options.app) return false;
            held = config;
            return true;
        } catch (Json.Malformed notOurs) {
            return false;
        }
    }

    private void keep(Transport.Answer answer) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("body", answer.body);
        map.put("etag", etag);
        map.put("signature", answer.header("Firsthop-Signature"));
        map.put("wall_us", options.clocks.wallMicros());
        storage.note(NOTE, MessagePack.pack(map));
    }
}
