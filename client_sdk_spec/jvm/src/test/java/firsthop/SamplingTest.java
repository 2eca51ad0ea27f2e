package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Sampling against the vectors. */
class SamplingTest {
    private static Span span(JsonObject given) {
        Span span = Spec.span(given.has("span") ? given.getAsJsonObject("span") : given);
        String rv = given.has("rv") ? given.get("rv").getAsString() : "";
        span.context = new Context(null, "", "session", rv, given.has("reported") && given.get("reported").getAsBoolean());
        if (given.has("route") && !given.get("route").getAsString().isEmpty()) {
            // As the server names it: method, host, template.
            String[] parts = given.get("route").getAsString().split("[ ]|(?=/)", 3);
            span.method(parts[0]).url("https://" + parts[1] + "/1").route(parts[2]);
        }
        return span;
    }

    private static ClientConfig config(String name) throws Exception {
        return ClientConfig.parse(Spec.json("vectors/sampling.json").getAsJsonObject(name).toString());
    }

    @Test
    void a_span_is_kept_by_the_threshold_as_the_vectors_say() throws Exception {
        for (JsonElement each : Spec.json("vectors/sampling.json").getAsJsonArray("decisions")) {
            JsonObject told = each.getAsJsonObject();
            JsonObject config = Spec.json("vectors/sampling.json").getAsJsonObject("config");
            config.getAsJsonObject("sampling").addProperty("th", told.get("th").getAsString());
            Sampler.Decision decision = Sampler.decide(ClientConfig.parse(config.toString()), span(told));
            assertEquals(told.get("kept").getAsBoolean(), decision.kept, told.toString());
        }
    }

    @Test
    void a_span_is_sent_ranked_and_declared_as_the_vectors_say() throws Exception {
        for (JsonElement each : Spec.json("vectors/sampling.json").getAsJsonArray("spans")) {
            JsonObject told = each.getAsJsonObject();
            JsonObject expected = told.getAsJsonObject("expected");
            Sampler.Decision decision = Sampler.decide(config("config"), span(told));
            assertEquals(expected.get("sent").getAsBoolean(), decision.kept, told.toString());
            if (decision.kept) assertEquals(expected.get("threshold").getAsString(), decision.threshold, told.toString());
            String rank = Sampler.rank(config("config"), span(told)).name().toLowerCase(java.util.Locale.ROOT);
            assertEquals(expected.get("rank").getAsString(), rank, told.toString());
        }
    }

    @Test
    void a_rate_that_is_raised_keeps_the_sessions_that_it_kept() throws Exception {
        JsonObject sessions = Spec.json("vectors/sampling.json").getAsJsonObject("sessions");
        for (JsonElement each : sessions.getAsJsonArray("rates")) {
            JsonObject config = Spec.json("vectors/sampling.json").getAsJsonObject("config");
            config.getAsJsonObject("sampling").add("th", each.getAsJsonObject().get("th"));
            List<String> kept = new ArrayList<>();
            for (JsonElement rv : sessions.getAsJsonArray("rv")) {
                JsonObject asked = new JsonObject();
                asked.add("rv", rv);
                asked.addProperty("trace_id", "4bf92f3577b34da6a380000000000000");
                if (Sampler.decide(ClientConfig.parse(config.toString()), span(asked)).kept) kept.add(rv.getAsString());
            }
            List<String> expected = new ArrayList<>();
            for (JsonElement rv : each.getAsJsonObject().getAsJsonArray("kept")) expected.add(rv.getAsString());
            assertEquals(expected, kept);
        }
    }

    @Test
    void while_the_edge_wants_nothing_everything_is_dropped_as_sampled() throws IOException {
        FakeEdge edge = new FakeEdge();
        edge.config = Spec.json("vectors/sampling.json").getAsJsonObject("config_silent").toString();
        FakeClocks clocks = new FakeClocks();
        Firsthop client = Firsthop.stepped(new Options("https://edge.example", "key").clocks(clocks).transport(edge));
        client.step();
        int silent = Spec.json("vectors/sampling.json").getAsJsonArray("spans_silent").size();
        for (int i = 0; i < silent; i++) client.span("any").failed("Error").end();
        client.reportProblem();
        client.flush();
        client.step();
        assertEquals(0, edge.attempts.size());
        edge.config = edge.config.replace("\"send\":false", "\"send\":true");
        clocks.pass(400_000_000);
        client.step();
        client.span("first").end();
        client.flush();
        client.step();
        assertEquals((long) silent, edge.accepted.get(0).part("dropped").get("sampled"));
    }
}
