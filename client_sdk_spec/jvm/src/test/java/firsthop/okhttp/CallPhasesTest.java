package firsthop.okhttp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import firsthop.Phase;
import firsthop.Recorder;
import firsthop.Span;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import okhttp3.Cache;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Phases of a real OkHttp, of every version that the build runs this with, that talks to a real server over a network with known
 * delays. Delays are lower bounds; nothing is said of how long things take at most.
 */
class CallPhasesTest {
    private static final long REUSED = Phase.REUSED;
    private static final long UNKNOWN = Phase.UNKNOWN;

    private final Recorder recorder = new Recorder();
    private final FirsthopOkHttp firsthop = new FirsthopOkHttp(recorder.client, "shop.example");
    private final OkHttpClient okhttp = firsthop.install(SlowNetwork.client()).build();
    private MockWebServer server;

    @BeforeEach
    void start() throws IOException {
        server = new MockWebServer();
        server.start(InetAddress.getByName("127.0.0.1"), 0);
    }

    @AfterEach
    void stop() throws IOException {
        okhttp.connectionPool().evictAll();
        server.shutdown();
    }

    private void overTls() {
        server.useHttps(SlowNetwork.SERVER.sslSocketFactory(), false);
        // HTTP/2 sends the head of a request before it says that it has: the wait is not bounded from below.
        server.setProtocols(Collections.singletonList(Protocol.HTTP_1_1));
    }

    private HttpUrl url(String scheme, String host, String path) {
        return new HttpUrl.Builder().scheme(scheme).host(host).port(server.getPort()).encodedPath(path).build();
    }

    private static Request get(HttpUrl url) {
        return new Request.Builder().url(url).build();
    }

    private static MockResponse slow() {
        return new MockResponse()
                .setHeadersDelay(SlowNetwork.TTFB_MS, TimeUnit.MILLISECONDS)
                .setBody("hello");
    }

    private String read(OkHttpClient client, Request request) throws IOException {
        try (Response response = client.newCall(request).execute()) {
            SlowNetwork.pass(SlowNetwork.DOWNLOAD_MS); // the app reads slowly
            return response.body().string();
        }
    }

    private String read(Request request) throws IOException {
        return read(okhttp, request);
    }

    private Map<String, Object> only() {
        List<Map<String, Object>> spans = recorder.spans();
        assertEquals(1, spans.size(), spans.toString());
        return spans.get(0);
    }

    private static long us(Map<String, Object> span, String column) {
        Long value = (Long) span.get(column);
        return value == null ? UNKNOWN : value;
    }

    private static void assertAtLeast(long ms, Map<String, Object> span, String column) {
        assertTrue(us(span, column) >= ms * 1000, column + " of " + span);
    }

    private static void assertIs(long mark, Map<String, Object> span, String... columns) {
        for (String column : columns) assertEquals(mark, us(span, column), column + " of " + span);
    }

    /** What the edge would make unknown: phases that together are longer than their span. */
    private static void assertFits(Map<String, Object> span) {
        long sum = 0;
        for (Phase phase : Phase.values()) sum += Math.max(us(span, phase.name().toLowerCase(java.util.Locale.ROOT) + "_us"), 0);
        assertTrue(sum <= us(span, "duration_us"), sum + " µs of " + span);
    }

    @Test
    void this_is_the_version_that_the_build_asked_for() {
        assertEquals(System.getProperty("okhttp"), OkHttpVersion.version());
    }

    @Test
    void a_first_call_over_tls_has_every_phase() throws IOException {
        overTls();
        server.enqueue(slow());
        HttpUrl url = url("https", "shop.example", "/orders");
        Request upload = new Request.Builder().url(url).post(SlowNetwork.slowUpload("12345678")).build();
        assertEquals("hello", read(upload));
        Map<String, Object> span = only();
        assertIs(REUSED, span, "redirect_us");
        assertIs(UNKNOWN, span, "blocked_us");
        assertAtLeast(SlowNetwork.DNS_MS, span, "dns_us");
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        assertAtLeast(SlowNetwork.TLS_MS, span, "tls_us");
        assertAtLeast(SlowNetwork.REQUEST_MS, span, "request_us");
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertAtLeast(SlowNetwork.DOWNLOAD_MS, span, "download_us");
        assertFits(span);
        assertEquals("POST", span.get("method"));
        assertEquals(url.toString(), span.get("url"));
        assertEquals(200L, span.get("http_status"));
        assertEquals(8L, span.get("request_bytes"));
        assertEquals(5L, span.get("response_bytes"));
        assertEquals("http/1.1", span.get("protocol"));
        assertEquals(0L, span.get("signal"));
        assertEquals(3L, span.get("kind"));
    }

    @Test
    void a_call_over_a_pooled_connection_reuses_it_and_waits_all_the_same() throws IOException {
        overTls();
        server.enqueue(new MockResponse());
        server.enqueue(slow());
        read(get(url("https", "shop.example", "/one")));
        read(get(url("https", "shop.example", "/two")));
        Map<String, Object> span = recorder.spans().get(1);
        assertIs(REUSED, span, "redirect_us", "dns_us", "tcp_us", "tls_us");
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertAtLeast(SlowNetwork.DOWNLOAD_MS, span, "download_us");
        assertFits(span);
    }

    @Test
    void over_plain_http_there_is_no_tls() throws IOException {
        server.enqueue(slow());
        read(get(url("http", "shop.example", "/")));
        Map<String, Object> span = only();
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        assertIs(REUSED, span, "tls_us");
        assertEquals("http/1.1", span.get("protocol"));
        assertFits(span);
    }

    @Test
    void after_a_redirect_to_another_host_the_phases_are_those_of_the_last_request() throws IOException {
        HttpUrl other = url("http", "other.example", "/there");
        server.enqueue(slow().setResponseCode(302).setHeader("Location", other));
        server.enqueue(slow());
        read(get(url("http", "shop.example", "/here")));
        Map<String, Object> span = only();
        assertAtLeast(SlowNetwork.DNS_MS + SlowNetwork.TCP_MS + SlowNetwork.TTFB_MS, span, "redirect_us");
        assertAtLeast(SlowNetwork.DNS_MS, span, "dns_us");
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertEquals(url("http", "shop.example", "/here").toString(), span.get("url"));
        assertEquals(200L, span.get("http_status"));
        assertFits(span);
    }

    @Test
    void after_a_redirect_to_the_same_host_its_connection_is_reused() throws IOException {
        server.enqueue(new MockResponse().setResponseCode(302).setHeader("Location", "/there"));
        server.enqueue(slow());
        read(get(url("http", "shop.example", "/here")));
        Map<String, Object> span = only();
        assertAtLeast(SlowNetwork.DNS_MS + SlowNetwork.TCP_MS, span, "redirect_us");
        assertIs(REUSED, span, "dns_us", "tcp_us", "tls_us");
        assertFits(span);
    }

    @Test
    void a_request_repeated_on_a_new_connection_has_the_handshake_of_that() throws IOException {
        server.enqueue(new MockResponse());
        server.enqueue(new MockResponse().setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST));
        server.enqueue(slow());
        read(get(url("http", "shop.example", "/one")));
        read(get(url("http", "shop.example", "/two")));
        Map<String, Object> span = recorder.spans().get(1);
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertEquals(200L, span.get("http_status"));
        assertEquals(3, server.getRequestCount());
        assertFits(span);
    }

    @Test
    void an_address_that_refuses_leaves_nothing_in_the_phases_of_the_next() throws IOException {
        server.enqueue(slow());
        OkHttpClient twoAddresses = okhttp.newBuilder().dns(SlowNetwork.dns("127.0.0.2", "127.0.0.1")).build();
        read(twoAddresses, get(url("http", "shop.example", "/")));
        Map<String, Object> span = only();
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        // Two attempts one after the other took twice as long as the one that is told.
        assertTrue(us(span, "duration_us") - us(span, "tcp_us") >= SlowNetwork.TCP_MS * 1000, span.toString());
        assertFits(span);
    }

    @Test
    void a_connection_shared_by_http_2_is_measured_once() throws Exception {
        overTls();
        server.setProtocols(Arrays.asList(Protocol.HTTP_2, Protocol.HTTP_1_1));
        for (int i = 0; i < 6; i++) server.enqueue(slow());
        CountDownLatch done = new CountDownLatch(6);
        for (int i = 0; i < 6; i++) okhttp.newCall(get(url("https", "shop.example", "/" + i))).enqueue(counting(done));
        assertTrue(done.await(30, TimeUnit.SECONDS));
        int measured = 0;
        for (Map<String, Object> span : recorder.spans()) {
            assertEquals("h2", span.get("protocol"));
            assertAtLeast(0, span, "ttfb_us");
            assertNotEquals(UNKNOWN, us(span, "tls_us"), span.toString());
            if (us(span, "tls_us") != REUSED) measured++;
            assertFits(span);
        }
        // Calls that lost the race opened connections that nothing was sent over.
        assertEquals(1, measured);
    }

    @Test
    void an_answer_of_the_cache_asked_nobody(@TempDir File directory) throws IOException {
        OkHttpClient caching = okhttp.newBuilder().cache(new Cache(directory, 1 << 20)).build();
        server.enqueue(slow().setHeader("Cache-Control", "max-age=600"));
        read(caching, get(url("http", "shop.example", "/")));
        assertEquals("hello", read(caching, get(url("http", "shop.example", "/"))));
        Map<String, Object> span = recorder.spans().get(1);
        assertIs(REUSED, span, "redirect_us", "dns_us", "tcp_us", "tls_us", "request_us", "ttfb_us");
        assertIs(UNKNOWN, span, "download_us");
        // 3.14 does not tell what the cache answered.
        assertEquals(OkHttpVersion.version().startsWith("3.") ? UNKNOWN : 200L, us(span, "http_status"));
        assertEquals(1, server.getRequestCount());
        caching.cache().close();
    }

    @Test
    void an_answer_that_the_server_confirmed_was_waited_for(@TempDir File directory) throws IOException {
        OkHttpClient caching = okhttp.newBuilder().cache(new Cache(directory, 1 << 20)).build();
        server.enqueue(slow().setHeader("ETag", "\"1\"").setHeader("Cache-Control", "no-cache"));
        server.enqueue(new MockResponse()
                .setResponseCode(304)
                .setHeadersDelay(SlowNetwork.TTFB_MS, TimeUnit.MILLISECONDS));
        read(caching, get(url("http", "shop.example", "/")));
        assertEquals("hello", read(caching, get(url("http", "shop.example", "/"))));
        Map<String, Object> span = recorder.spans().get(1);
        assertIs(REUSED, span, "dns_us", "tcp_us");
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertEquals(OkHttpVersion.version().startsWith("3.") ? 304L : 200L, us(span, "http_status"));
        caching.cache().close();
    }

    private Map<String, Object> failed(OkHttpClient client, Request request) {
        assertThrows(IOException.class, () -> read(client, request));
        Map<String, Object> span = only();
        assertEquals(2L, span.get("status"));
        return span;
    }

    @Test
    void of_a_name_that_does_not_exist_every_phase_is_unknown() {
        Map<String, Object> span = failed(okhttp, get(url("http", "nowhere.invalid", "/")));
        assertIs(UNKNOWN, span, "redirect_us", "dns_us", "tcp_us", "tls_us", "request_us", "ttfb_us", "download_us");
        assertEquals(0L, span.get("http_status"));
        assertEquals("dns_failure", span.get("error_type"));
        assertAtLeast(SlowNetwork.DNS_MS, span, "duration_us");
    }

    @Test
    void of_a_refused_connection_only_the_look_up_is_known() {
        OkHttpClient refused = okhttp.newBuilder().dns(SlowNetwork.dns("127.0.0.2")).build();
        Map<String, Object> span = failed(refused, get(url("http", "shop.example", "/")));
        assertAtLeast(SlowNetwork.DNS_MS, span, "dns_us");
        assertIs(UNKNOWN, span, "redirect_us", "tcp_us", "tls_us", "request_us", "ttfb_us", "download_us");
        assertEquals(0L, span.get("http_status"));
        assertEquals("connection_refused", span.get("error_type"));
    }

    @Test
    void of_a_failed_handshake_only_the_look_up_is_known() {
        overTls();
        server.enqueue(new MockResponse());
        OkHttpClient distrusting = okhttp.newBuilder().hostnameVerifier((host, session) -> false).build();
        Map<String, Object> span = failed(distrusting, get(url("https", "shop.example", "/")));
        assertAtLeast(SlowNetwork.DNS_MS, span, "dns_us");
        assertIs(UNKNOWN, span, "tcp_us", "tls_us", "request_us", "ttfb_us", "download_us");
        assertEquals(0L, span.get("http_status"));
        assertEquals("tls_handshake", span.get("error_type"));
    }

    @Test
    void of_a_request_that_was_never_answered_the_wait_is_unknown() {
        server.enqueue(new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE));
        OkHttpClient hasty = okhttp.newBuilder().readTimeout(200, TimeUnit.MILLISECONDS).build();
        Map<String, Object> span = failed(hasty, get(url("http", "shop.example", "/")));
        assertAtLeast(SlowNetwork.TCP_MS, span, "tcp_us");
        assertIs(UNKNOWN, span, "redirect_us", "ttfb_us", "download_us");
        assertEquals(0L, span.get("http_status"));
        assertEquals("timeout", span.get("error_type"));
    }

    @Test
    void of_a_body_that_broke_off_the_answer_is_known_and_the_download_is_not() {
        server.enqueue(slow()
                .setBody(String.join("", Collections.nCopies(100_000, "0123456789")))
                .setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY));
        Map<String, Object> span = failed(okhttp, get(url("http", "shop.example", "/")));
        assertAtLeast(SlowNetwork.TTFB_MS, span, "ttfb_us");
        assertIs(UNKNOWN, span, "download_us");
        assertEquals(200L, span.get("http_status"));
        assertFits(span);
    }

    @Test
    void a_cancelled_call_had_no_answer() throws Exception {
        server.enqueue(new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE));
        CountDownLatch done = new CountDownLatch(1);
        Call call = okhttp.newCall(get(url("http", "shop.example", "/")));
        call.enqueue(counting(done));
        server.takeRequest(30, TimeUnit.SECONDS);
        call.cancel();
        assertTrue(done.await(30, TimeUnit.SECONDS));
        Map<String, Object> span = only();
        assertEquals("cancelled", span.get("error_type"));
        assertEquals(0L, span.get("http_status"));
        assertIs(UNKNOWN, span, "ttfb_us", "download_us");
    }

    @Test
    void a_call_that_waits_in_the_queue_says_so_where_okhttp_does() throws Exception {
        okhttp.dispatcher().setMaxRequests(1);
        CountDownLatch bothAsked = new CountDownLatch(1);
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) throws InterruptedException {
                bothAsked.await();
                return slow();
            }
        });
        CountDownLatch done = new CountDownLatch(2);
        okhttp.newCall(get(url("http", "shop.example", "/one"))).enqueue(counting(done));
        okhttp.newCall(get(url("http", "shop.example", "/two"))).enqueue(counting(done));
        bothAsked.countDown();
        assertTrue(done.await(30, TimeUnit.SECONDS));
        for (Map<String, Object> span : recorder.spans()) {
            assertFits(span);
            if (!OkHttpVersion.version().startsWith("5.")) assertIs(UNKNOWN, span, "blocked_us");
            else if (span.get("url").toString().endsWith("/two")) assertAtLeast(SlowNetwork.TTFB_MS, span, "blocked_us");
        }
    }

    @Test
    void only_named_hosts_are_told_the_trace_and_a_redirect_leaves_it_behind() throws Exception {
        server.enqueue(new MockResponse().setResponseCode(302).setHeader("Location", url("http", "other.example", "/")));
        server.enqueue(new MockResponse());
        read(get(url("http", "shop.example", "/")));
        RecordedRequest named = server.takeRequest();
        RecordedRequest other = server.takeRequest();
        Map<String, Object> span = only();
        String traceparent = named.getHeader("traceparent");
        assertTrue(traceparent.matches("00-[0-9a-f]{32}-" + span.get("span_id") + "-01"), traceparent);
        assertNull(other.getHeader("traceparent"));
    }

    @Test
    void a_traceparent_of_the_apps_own_is_left_alone() throws Exception {
        server.enqueue(new MockResponse());
        read(get(url("http", "shop.example", "/")).newBuilder().header("traceparent", "00-own").build());
        assertEquals("00-own", server.takeRequest().getHeader("traceparent"));
    }

    @Test
    void what_the_answer_says_of_its_server_is_kept_as_it_came() throws IOException {
        server.enqueue(new MockResponse()
                .addHeader("Server-Timing", "db;dur=53")
                .addHeader("Server-Timing", "app;desc=\"a \\\"b\\\"\"")
                .addHeader("traceresponse", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        read(get(url("http", "shop.example", "/")));
        Map<String, Object> span = only();
        com.google.gson.JsonArray lines = com.google.gson.JsonParser.parseString(
                        (String) span.get("http.response.header.server-timing"))
                .getAsJsonArray();
        assertEquals("db;dur=53", lines.get(0).getAsString());
        assertEquals("app;desc=\"a \\\"b\\\"\"", lines.get(1).getAsString());
        assertEquals(
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                span.get("http.response.header.traceresponse"));
    }

    @Test
    void a_request_may_name_its_parent_and_its_route_and_shows_no_password() throws IOException {
        server.enqueue(new MockResponse());
        Span parent = recorder.client.span("checkout");
        HttpUrl url = url("http", "shop.example", "/orders/7").newBuilder().username("jane").password("pw").build();
        read(get(url).newBuilder()
                .tag(Span.class, parent)
                .tag(FirsthopOkHttp.Route.class, new FirsthopOkHttp.Route("/orders/{id}"))
                .build());
        parent.end();
        List<Map<String, Object>> spans = recorder.spans();
        assertEquals(spans.get(1).get("span_id"), spans.get(0).get("parent_span_id"));
        assertEquals(spans.get(1).get("trace"), spans.get(0).get("trace"));
        assertEquals("/orders/{id}", spans.get(0).get("route"));
        assertEquals(url("http", "shop.example", "/orders/7").toString(), spans.get(0).get("url"));
    }

    @Test
    void requests_to_the_edge_are_not_traced() {
        assertThrows(IOException.class, () -> read(okhttp.newBuilder().dns(SlowNetwork.dns()).build(), get(HttpUrl.get("https://edge.example/v1/config"))));
        assertTrue(recorder.spans().isEmpty());
        assertFalse(recorder.client.isEdge("https://edge.example.evil/"));
    }

    private static Callback counting(CountDownLatch done) {
        return new Callback() {
            @Override
            public void onFailure(Call call, IOException e) {
                done.countDown();
            }

            @Override
            public void onResponse(Call call, Response response) throws IOException {
                response.body().string();
                done.countDown();
            }
        };
    }
}
