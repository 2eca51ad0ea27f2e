package firsthop.okhttp;

import firsthop.Firsthop;
import firsthop.Options;
import firsthop.Span;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;

/** What tracing costs the thread that calls: prints figures, and says nothing of whether they are good. */
public final class Overhead {
    private static final int ROUNDS = 60;
    private static final int CALLS = 500;
    private static final int SPANS = 20_000;

    private Overhead() {}

    public static void main(String[] none) throws IOException {
        long beforeNanos = System.nanoTime();
        Firsthop client = Firsthop.start(new Options("http://127.0.0.1:9", "key"));
        System.out.printf("start                        %8.1f ms%n", (System.nanoTime() - beforeNanos) / 1e6);
        System.out.printf("span and end                 %8.2f µs%n", spanMicros(client));
        MockWebServer server = new MockWebServer();
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                return new MockResponse(); // a body would be a write of its own, and wait 40 ms for the delayed ACK
            }
        });
        server.start(InetAddress.getByName("127.0.0.1"), 0);
        Request request = new Request.Builder().url(server.url("/orders/7")).build();
        OkHttpClient plain = new OkHttpClient();
        OkHttpClient traced = new FirsthopOkHttp(client, "127.0.0.1").install(new OkHttpClient.Builder()).build();
        double[] without = new double[ROUNDS];
        double[] with = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            without[round] = callMicros(plain, request);
            with[round] = callMicros(traced, request);
        }
        // The first half is for the compiler.
        double plainMicros = median(without);
        double tracedMicros = median(with);
        System.out.printf("call, not traced             %8.2f µs%n", plainMicros);
        System.out.printf("call, traced                 %8.2f µs%n", tracedMicros);
        System.out.printf("difference                   %8.2f µs%n", tracedMicros - plainMicros);
        System.exit(0); // without waiting for the edge that is not there
    }

    private static double spanMicros(Firsthop client) {
        double[] micros = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            for (int i = 0; i < SPANS; i++) {
                Span span = client.span("work");
                span.attribute("number", i).end();
            }
            micros[round] = (System.nanoTime() - start) / 1e3 / SPANS;
        }
        return median(micros);
    }

    private static double callMicros(OkHttpClient client, Request request) throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < CALLS; i++) {
            try (Response response = client.newCall(request).execute()) {
                response.body().bytes();
            }
        }
        return (System.nanoTime() - start) / 1e3 / CALLS;
    }

    private static double median(double[] rounds) {
        double[] warm = Arrays.copyOfRange(rounds, rounds.length / 2, rounds.length);
        Arrays.sort(warm);
        return warm[warm.length / 2];
    }
}
