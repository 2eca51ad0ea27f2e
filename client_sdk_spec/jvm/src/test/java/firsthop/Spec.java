package firsthop;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The specification's own files, which every client is checked against. */
final class Spec {
    static final Path DIRECTORY = Paths.get(System.getProperty("spec", "..")).toAbsolutePath().normalize();

    private Spec() {}

    static JsonObject json(String name) throws IOException {
        return JsonParser.parseString(text(name)).getAsJsonObject();
    }

    static String text(String name) throws IOException {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(DIRECTORY.resolve(name));
    }

    /** The names of golden batches, without their endings. */
    static List<String> golden() throws IOException {
        try (Stream<Path> files = Files.list(DIRECTORY.resolve("vectors/golden"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".batch.json"))
                    .map(name -> name.substring(0, name.length() - ".batch.json".length()))
                    .sorted()
                    .collect(Collectors.toList());
        }
    }

    /** A span of a golden batch. */
    static Span span(JsonObject given) {
        Span span = new Span(null);
        for (Column column : Column.ALL) {
            JsonElement value = given.get(column.wire);
            if (value == null) continue;
            if (column.type == Column.Type.TEXT) span.set(column, value.getAsString());
            else if (column.type == Column.Type.ID) span.set(column, Long.parseUnsignedLong(value.getAsString(), 16));
            else span.set(column, value.getAsLong());
        }
        if (given.has("trace_id")) span.trace(uuid(given.get("trace_id").getAsString()));
        if (given.has("attributes")) {
            for (Map.Entry<String, JsonElement> entry : given.getAsJsonObject("attributes").entrySet()) {
                JsonElement value = entry.getValue();
                boolean isText = value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
                span.attribute(entry.getKey(), isText ? value.getAsString() : value.toString());
            }
        }
        if (given.has("events")) {
            for (JsonElement event : given.getAsJsonArray("events")) {
                JsonObject told = event.getAsJsonObject();
                span.event(told.get("name").getAsString(), told.get("offset_us").getAsLong());
            }
        }
        if (given.has("links")) {
            for (JsonElement link : given.getAsJsonArray("links")) {
                JsonObject told = link.getAsJsonObject();
                span.link(uuid(told.get("trace_id").getAsString()), Long.parseUnsignedLong(told.get("span_id").getAsString(), 16));
            }
        }
        return span;
    }

    static UUID uuid(String hex) {
        return new UUID(Long.parseUnsignedLong(hex.substring(0, 16), 16), Long.parseUnsignedLong(hex.substring(16), 16));
    }
}
