package firsthop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The encoder against the golden batches of the specification. */
class GoldenTest {
    static List<String> golden() throws IOException {
        return Spec.golden();
    }

    @ParameterizedTest
    @MethodSource("golden")
    void a_golden_batch_is_encoded_byte_for_byte_as_by_the_reference(String name) throws IOException {
        JsonObject batch = Spec.json("vectors/golden/" + name + ".batch.json");
        assumeFalse(batch.has("sketches"), name + ": this client samples by rate and sends no sketches");
        assertArrayEquals(Spec.bytes("vectors/golden/" + name + ".msgpack"), encoded(batch));
    }

    @ParameterizedTest
    @MethodSource("golden")
    void what_is_unpacked_and_packed_again_has_not_changed(String name) throws Exception {
        byte[] packed = Spec.bytes("vectors/golden/" + name + ".msgpack");
        assertArrayEquals(packed, MessagePack.pack(MessagePack.unpack(packed)));
    }

    @ParameterizedTest
    @MethodSource("golden")
    void the_dictionary_is_the_one_that_the_golden_bodies_are_compressed_with(String name)
            throws IOException, DataFormatException {
        byte[] packed = Spec.bytes("vectors/golden/" + name + ".msgpack");
        assertArrayEquals(packed, Compression.inflate(Spec.bytes("vectors/golden/" + name + ".msgpack.zz"), 1 << 20));
        byte[] compressed = Compression.deflate(packed);
        assertArrayEquals(packed, Compression.inflate(compressed, 1 << 20));
        // 78, and in the next byte the bit that says that a dictionary follows: so it is recognised without a header.
        assertEquals(0x78, compressed[0]);
        assertTrue((compressed[1] & 0x20) != 0);
    }

    @Test
    void the_columns_are_those_of_fields_json_in_its_order() throws IOException {
        List<String> told = new ArrayList<>();
        for (Map.Entry<String, JsonElement> field : Spec.json("fields.json").getAsJsonObject("columns").entrySet()) {
            JsonObject said = field.getValue().getAsJsonObject();
            String type = said.get("type").getAsString();
            JsonElement absent = said.get("default");
            boolean number = type.equals("number") || type.equals("phase");
            told.add(field.getKey() + " " + (number ? "" + (absent.isJsonNull() ? -2 : absent.getAsLong()) : type));
        }
        List<String> known = new ArrayList<>();
        for (Column column : Column.ALL) {
            String type = column.type == Column.Type.ROW ? "index" : column.type == Column.Type.ID ? "id8" : "code";
            known.add(column.wire + " " + (column.type == Column.Type.NUMBER ? "" + column.absent : type));
        }
        assertEquals(told, known);
    }

    @Test
    void signals_have_the_numbers_of_fields_json() throws IOException {
        StringBuilder known = new StringBuilder();
        for (Signal signal : Signal.values()) {
            known.append(known.length() == 0 ? "" : ", ").append(signal.ordinal()).append(' ');
            known.append(signal.name().toLowerCase(java.util.Locale.ROOT));
        }
        JsonObject columns = Spec.json("fields.json").getAsJsonObject("columns");
        assertEquals(columns.getAsJsonObject("signal").get("meaning").getAsString(), known.toString());
    }

    @Test
    void resource_fields_are_those_of_fields_json() throws IOException {
        Options options = new Options("https://edge.example", "key")
                .service("s")
                .version("v")
                .environment("e")
                .os("o", "1")
                .device("m", "d", 1)
                .installation("i");
        JsonObject known = Spec.json("fields.json").getAsJsonObject("resource");
        for (String field : options.resource.keySet()) assertTrue(known.has(field), field);
    }

    private static byte[] encoded(JsonObject batch) {
        List<Span> spans = new ArrayList<>();
        for (JsonElement span : batch.getAsJsonArray("spans")) spans.add(Spec.span(span.getAsJsonObject()));
        Map<String, Long> dropped = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : values(batch, "dropped").entrySet()) {
            dropped.put(entry.getKey(), (Long) entry.getValue());
        }
        return Encoder.encode(
                Spec.uuid(batch.get("id").getAsString()), values(batch, "resource"), values(batch, "clock"), dropped, spans);
    }

    private static Map<String, Object> values(JsonObject batch, String name) {
        Map<String, Object> values = new LinkedHashMap<>();
        if (!batch.has(name)) return values;
        for (Map.Entry<String, JsonElement> entry : batch.getAsJsonObject(name).entrySet()) {
            com.google.gson.JsonPrimitive value = entry.getValue().getAsJsonPrimitive();
            Object read = value.isNumber() ? (Object) value.getAsLong() : value.isString() ? value.getAsString() : value.getAsBoolean();
            values.put(entry.getKey(), read);
        }
        return values;
    }
}
