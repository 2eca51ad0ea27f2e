package firsthop.okhttp;

import firsthop.Firsthop;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Traces the calls of OkHttp, 3.14 and later: a span for each, with its phases. Requests to the edge itself are not traced.
 *
 * <p>A request may say more of itself by tags: {@code tag(Span.class, parent)} makes its span a child, {@code tag(Route.class,
 * new Route("/orders/{id}"))} names its route.
 */
public final class FirsthopOkHttp {
    private final Firsthop client;
    private final Set<String> hosts;
    private final CallStamps.FirstByte firstByte = OkHttpVersion.firstByte();
    // Weak: calls that are never made, or whose bodies are never closed, are forgotten with the call.
    private final Map<Call, CallListener> listeners = Collections.synchronizedMap(new WeakHashMap<Call, CallListener>());
    private final Set<Connection> seen =
            Collections.newSetFromMap(Collections.synchronizedMap(new WeakHashMap<Connection, Boolean>()));

    /** The template of a request's path. */
    public static final class Route {
        final String template;

        public Route(String template) {
            this.template = template;
        }
    }

    /** @param traceparentHosts hosts, by their exact names, that are sent {@code traceparent} */
    public FirsthopOkHttp(Firsthop client, String... traceparentHosts) {
        this.client = client;
        this.hosts = new HashSet<>(Arrays.asList(traceparentHosts));
    }

    /** Adds both parts to a client that is being built; a listener factory set before is replaced. */
    public OkHttpClient.Builder install(OkHttpClient.Builder builder) {
        return builder.eventListenerFactory(listenerFactory()).addNetworkInterceptor(interceptor());
    }

    /** What makes spans of calls. */
    public EventListener.Factory listenerFactory() {
        return new EventListener.Factory() {
            @Override
            public EventListener create(Call call) {
                if (client.isEdge(call.request().url().toString())) return EventListener.NONE;
                CallListener listener = new CallListener(client, firstByte, seen);
                listeners.put(call, listener);
                return listener;
            }
        };
    }

    /** What adds {@code traceparent}. To be added as a network interceptor: so a redirect to another host goes without. */
    public Interceptor interceptor() {
        return new Interceptor() {
            @Override
            public Response intercept(Chain chain) throws IOException {
                Request request = chain.request();
                CallListener listener = hosts.contains(request.url().host()) ? listeners.get(chain.call()) : null;
                String traceparent = listener == null ? null : listener.traceparent();
                if (traceparent == null || request.header("traceparent") != null) return chain.proceed(request);
                return chain.proceed(request.newBuilder().header("traceparent", traceparent).build());
            }
        };
    }
}
