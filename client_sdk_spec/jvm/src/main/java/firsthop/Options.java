package firsthop;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** What {@link Firsthop#start} goes by. Only address and key are needed; what is set afterwards changes nothing. */
public final class Options {
    static final String SDK = "firsthop-jvm/0.1.0";

    final String endpoint;
    final String key;
    final Map<String, Object> resource = new LinkedHashMap<>();
    File directory;
    Clocks clocks = Clocks.SYSTEM;
    Transport transport;
    UploadPolicy uploadPolicy = UploadPolicy.ALWAYS;
    Consent consent;
    boolean wholeSessions;
    boolean onlyAgreed;
    String publicKey;
    long app;
    Random random = new SecureRandom();

    /**
     * @param endpoint where the edge is, for instance {@code https://telemetry.shop.example}
     * @param key the app's client key
     * @throws IllegalArgumentException when the first is no address of http or https
     */
    public Options(String endpoint, String key) {
        try {
            String scheme = new URL(endpoint).getProtocol();
            if (!scheme.equals("http") && !scheme.equals("https")) throw new MalformedURLException(scheme);
        } catch (MalformedURLException wrong) {
            throw new IllegalArgumentException("not an address of http or https: " + endpoint, wrong);
        }
        this.endpoint = endpoint.endsWith("/") ? endpoint.substring(0, endpoint.length() - 1) : endpoint;
        this.key = key;
        resource.put("sdk", SDK);
        resource.put("cores", (long) Runtime.getRuntime().availableProcessors());
    }

    /** The app's name. */
    public Options service(String service) {
        return text("service", service);
    }

    /** The app's version. */
    public Options version(String version) {
        return text("version", version);
    }

    public Options environment(String environment) {
        return text("environment", environment);
    }

    /** The system, for instance {@code android} and {@code 14}. */
    public Options os(String name, String version) {
        return text("os_name", name).text("os_version", version);
    }

    public Options device(String manufacturer, String model, long memoryMb) {
        resource.put("memory_mb", memoryMb);
        return text("device_manufacturer", manufacturer).text("device_model", model);
    }

    /** What tells this installation from others; not sent while consent is denied. */
    public Options installation(String id) {
        return text("installation", id);
    }

    /** Where batches wait that could not be sent, for this process and the next. Without one they wait in memory. */
    public Options directory(File directory) {
        this.directory = directory;
        return this;
    }

    public Options clocks(Clocks clocks) {
        this.clocks = clocks;
        return this;
    }

    public Options transport(Transport transport) {
        this.transport = transport;
        return this;
    }

    public Options uploadPolicy(UploadPolicy policy) {
        this.uploadPolicy = policy;
        return this;
    }

    /**
     * What the user has agreed to so far; not called: the app does not ask. Without consent spans go without session and
     * installation, and the edge does with them what the app's policy says: by default it only counts them.
     */
    public Options consent(Consent consent) {
        this.consent = consent;
        return this;
    }

    /** Without consent not even that: nothing is sent, and it is told afterwards how much that was. */
    public Options onlyWithConsent() {
        this.onlyAgreed = true;
        return this;
    }

    /** Sampling keeps a session or leaves it out as a whole. */
    public Options wholeSessions() {
        this.wholeSessions = true;
        return this;
    }

    /**
     * Believes only configurations that are signed with this key, and for this app ({@code firsthop app list} shows both). Where
     * the platform has no Ed25519 (before Java 15), none is believed, and everything is sent.
     */
    public Options signedBy(String publicKey, long app) {
        this.publicKey = publicKey;
        this.app = app;
        return this;
    }

    Options random(Random seeded) {
        this.random = seeded;
        return this;
    }

    private Options text(String field, String value) {
        if (value != null) resource.put(field, value);
        return this;
    }
}
