package firsthop.okhttp;

import com.google.gson.Gson;
import firsthop.Firsthop;
import firsthop.Options;
import firsthop.Watched;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Collections;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;

/**
 * An app that is measured: {@code Demo calls 5} asks a server of its own over a slow network, {@code Demo spans 250} records
 * operations. It ends when everything was accepted, or at once with {@code offline}. Edge, key, version and directory come from
 * the environment; what was sent goes to standard output as JSON.
 */
public final class Demo {
    private Demo() {}

    public static void main(String[] arguments) throws Exception {
        int count = Integer.parseInt(arguments[1]);
        Watched watched = new Watched();
        Options options = new Options(System.getenv("FIRSTHOP_EDGE"), System.getenv("FIRSTHOP_KEY"))
                .service("jvm-demo")
                .version(System.getenv("FIRSTHOP_VERSION"))
                .os("android", "14")
                .transport(watched);
        if (System.getenv("FIRSTHOP_DIRECTORY") != null) options.directory(new File(System.getenv("FIRSTHOP_DIRECTORY")));
        Firsthop client = Firsthop.start(options);
        client.setNetwork("wifi");
        if (arguments[0].equals("calls")) call(client, count);
        else for (int i = 0; i < count; i++) client.span("work " + i).attribute("number", i).end();
        client.flush();
        boolean offline = arguments.length > 2 && arguments[2].equals("offline");
        if (!offline && !watched.awaitAccepted(count, 120)) throw new IOException("not accepted in time");
        client.close();
        System.out.println(new Gson().toJson(watched.told()));
        System.exit(0); // idle threads of the server and of OkHttp would keep it for a minute
    }

    private static void call(Firsthop client, int count) throws IOException {
        MockWebServer server = new MockWebServer();
        server.useHttps(SlowNetwork.SERVER.sslSocketFactory(), false);
        server.setProtocols(Collections.singletonList(Protocol.HTTP_1_1));
        server.start(InetAddress.getByName("127.0.0.1"), 0);
        OkHttpClient okhttp = new FirsthopOkHttp(client, "shop.example").install(SlowNetwork.client()).build();
        for (int i = 0; i < count; i++) {
            server.enqueue(new MockResponse()
                    .setHeadersDelay(SlowNetwork.TTFB_MS, TimeUnit.MILLISECONDS)
                    .addHeader("Server-Timing", "app;dur=12.5")
                    .setBody("hello"));
            HttpUrl url = server.url("/orders/" + i).newBuilder().host("shop.example").build();
            try (Response response = okhttp.newCall(new Request.Builder().url(url).build()).execute()) {
                response.body().string();
            }
        }
    }
}
