package firsthop;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;

/**
 * The client as the command of {@code client_sdk_spec.conformance}: takes the steps that the environment names, over a real
 * network by real clocks. It is stepped, so that a step of the scenario is a batch.
 */
public final class Conformance {
    private final Firsthop client;
    private int recorded;

    private Conformance(Firsthop client) {
        this.client = client;
    }

    public static void main(String[] none) throws InterruptedException {
        Options options = new Options(System.getenv("FIRSTHOP_EDGE"), System.getenv("FIRSTHOP_KEY"))
                .service("conformance")
                .signedBy(System.getenv("FIRSTHOP_CONFIG_KEY"), 1);
        Conformance conformance = new Conformance(Firsthop.stepped(options));
        for (JsonElement each : JsonParser.parseString(System.getenv("FIRSTHOP_STEPS")).getAsJsonArray()) {
            JsonArray step = each.getAsJsonArray();
            conformance.take(step.get(0).getAsString(), step.get(1).getAsDouble());
        }
    }

    private void take(String what, double count) throws InterruptedException {
        long untilUs = client.monoMicros() + (long) (count * 1e6);
        switch (what) {
            case "settle":
                client.flush();
                for (long waitUs = client.step(); !client.worker.hasNothingToSend(); waitUs = client.step()) {
                    Thread.sleep((waitUs + 999) / 1000);
                }
                break;
            case "wait":
                while (client.monoMicros() < untilUs) {
                    long leftUs = Math.max(untilUs - client.monoMicros(), 0);
                    Thread.sleep(Math.min(client.step(), leftUs) / 1000 + 1);
                }
                break;
            default:
                for (int i = 0; i < count; i++) record(what.equals("errors") ? 500 : 200);
                client.flush();
                client.step();
        }
    }

    private void record(int httpStatus) {
        client.span("span " + recorded++)
                .signal(Signal.REQUEST)
                .kind(3)
                .method("GET")
                .url("https://api.shop.example/orders/7")
                .httpStatus(httpStatus)
                .timed(client.monoMicros(), 5_000)
                .end();
    }
}
