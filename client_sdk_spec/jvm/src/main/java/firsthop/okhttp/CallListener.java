package firsthop.okhttp;

import firsthop.Firsthop;
import firsthop.Phase;
import firsthop.Signal;
import firsthop.Span;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLException;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.Dispatcher;
import okhttp3.EventListener;
import okhttp3.Handshake;
import okhttp3.HttpUrl;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Makes a span of one call. It is compiled against 3.14: the callbacks of later versions are there by their signatures, without
 * {@code @Override}, and simply not called by earlier ones.
 */
final class CallListener extends EventListener {
    private final Firsthop client;
    private final CallStamps.FirstByte firstByte;
    private final Set<Connection> seen;
    private volatile Span span;
    private volatile CallStamps stamps;
    private boolean https;
    private boolean validating;

    CallListener(Firsthop client, CallStamps.FirstByte firstByte, Set<Connection> seen) {
        this.client = client;
        this.firstByte = firstByte;
        this.seen = seen;
    }

    /** Null before the call began. */
    String traceparent() {
        Span begun = span;
        return begun == null ? null : begun.traceparent();
    }

    @Override
    public void callStart(Call call) {
        Request request = call.request();
        Span parent = request.tag(Span.class);
        Span begun = parent == null ? client.span(request.method()) : parent.child(request.method());
        begun.signal(Signal.REQUEST).kind(3).method(request.method()).url(address(request.url()));
        FirsthopOkHttp.Route route = request.tag(FirsthopOkHttp.Route.class);
        if (route != null) begun.route(route.template);
        stamps = new CallStamps(firstByte, now());
        span = begun;
    }

    public void dispatcherQueueStart(Call call, Dispatcher dispatcher) {
        // From 5.2 on; it comes after callStart.
        if (stamps != null) stamps.queueStart(now());
    }

    public void dispatcherQueueEnd(Call call, Dispatcher dispatcher) {
        if (stamps != null) stamps.queueEnd(now());
    }

    @Override
    public void dnsStart(Call call, String domainName) {
        stamps.dnsStart(now());
    }

    @Override
    public void dnsEnd(Call call, String domainName, List<InetAddress> inetAddressList) {
        stamps.dnsEnd(now());
    }

    @Override
    public void connectStart(Call call, InetSocketAddress inetSocketAddress, Proxy proxy) {
        stamps.connectStart(inetSocketAddress, now());
    }

    @Override
    public void secureConnectStart(Call call) {
        stamps.secureStart(now());
    }

    @Override
    public void secureConnectEnd(Call call, Handshake handshake) {
        stamps.secureEnd(now());
    }

    @Override
    public void connectEnd(Call call, InetSocketAddress inetSocketAddress, Proxy proxy, Protocol protocol) {
        stamps.connectEnd(inetSocketAddress, now());
    }

    @Override
    public void connectFailed(
            Call call, InetSocketAddress inetSocketAddress, Proxy proxy, Protocol protocol, IOException ioe) {
        stamps.connectFailed(inetSocketAddress);
    }

    @Override
    public void connectionAcquired(Call call, Connection connection) {
        https = connection.handshake() != null;
        stamps.acquired(connection.route().socketAddress(), seen.add(connection));
    }

    @Override
    public void requestHeadersStart(Call call) {
        stamps.requestStart(now());
    }

    @Override
    public void requestHeadersEnd(Call call, Request request) {
        stamps.requestEnd(now());
    }

    @Override
    public void requestBodyEnd(Call call, long byteCount) {
        stamps.requestEnd(now());
        span.requestBytes(byteCount);
    }

    @Override
    public void responseHeadersStart(Call call) {
        stamps.responseStart(now());
    }

    @Override
    public void responseHeadersEnd(Call call, Response response) {
        stamps.headersEnd(now());
        validating &= response.code() == 304;
        span.httpStatus(response.code()).protocol(response.protocol().toString());
        header(response, "server-timing");
        header(response, "traceresponse");
    }

    /** What the answer said of its server, as it came; several lines as a JSON array of texts. */
    private void header(Response response, String name) {
        List<String> lines = response.headers(name);
        if (lines.isEmpty()) return;
        span.attribute("http.response.header." + name, lines.size() == 1 ? lines.get(0) : JsonTexts.array(lines));
    }

    @Override
    public void responseBodyEnd(Call call, long byteCount) {
        stamps.bodyEnd(now());
        span.responseBytes(byteCount);
    }

    public void cacheConditionalHit(Call call, Response cachedResponse) {
        validating = true;
    }

    public void cacheHit(Call call, Response response) {
        // It comes after 304, too: then the network was asked.
        if (!validating) stamps.fromCache();
        validating = false;
        span.httpStatus(response.code());
    }

    @Override
    public void callEnd(Call call) {
        // Before 4.7 there is no callback for an answer of the cache.
        if (!stamps.usedNetwork()) stamps.fromCache();
        finish(null);
    }

    @Override
    public void callFailed(Call call, IOException ioe) {
        finish(call.isCanceled() ? "cancelled" : failure(ioe));
    }

    private void finish(String failure) {
        long nowUs = now();
        for (Map.Entry<Phase, Long> phase : stamps.phases(https).entrySet()) span.phase(phase.getKey(), phase.getValue());
        if (failure != null) {
            span.failed(failure);
            if (!stamps.isAnswered()) span.httpStatus(0);
        }
        span.endedAt(stamps.end(nowUs));
    }

    private long now() {
        return client.monoMicros();
    }

    /** Where it went, without what is the user's: name and password. */
    private static String address(HttpUrl url) {
        boolean clean = url.username().isEmpty() && url.password().isEmpty() && url.fragment() == null;
        return (clean ? url : url.newBuilder().username("").password("").fragment(null).build()).toString();
    }

    private static String failure(IOException thrown) {
        if (thrown instanceof UnknownHostException) return "dns_failure";
        if (thrown instanceof ConnectException) return "connection_refused";
        if (thrown instanceof InterruptedIOException) return "timeout";
        if (thrown instanceof SSLException) return "tls_handshake";
        return thrown.getClass().getSimpleName();
    }
}
