package firsthop;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.util.Map;

/** By {@link HttpURLConnection}, which every JVM and every Android has. */
final class HttpTransport implements Transport {
    private static final int TIMEOUT_MS = 10_000;
    private static final int MOST_ANSWER = 64 * 1024;

    private final Clocks clocks;

    HttpTransport(Clocks clocks) {
        this.clocks = clocks;
    }

    @Override
    public Answer send(Request request) throws IOException {
        long startUs = clocks.monoMicros();
        HttpURLConnection connection = (HttpURLConnection) new URL(request.url).openConnection();
        try {
            prepare(connection, request);
            connection.connect();
            // The stamp in the address says when this began: a head that is written later than 10 s after it would lie.
            connection.setReadTimeout(leftMs(startUs));
            request.headWritten();
            if (request.body != null) {
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(request.body);
                }
            }
            connection.setReadTimeout(leftMs(startUs));
            int status = connection.getResponseCode();
            request.firstByte();
            return new HttpAnswer(status, read(connection, status, startUs), connection);
        } catch (RuntimeException platform) {
            throw new IOException(platform); // some versions of Android throw them for broken answers
        }
    }

    private static void prepare(HttpURLConnection connection, Request request) throws IOException {
        connection.setConnectTimeout(TIMEOUT_MS);
        connection.setReadTimeout(TIMEOUT_MS);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setRequestMethod(request.method);
        for (Map.Entry<String, String> header : request.headers.entrySet()) {
            connection.setRequestProperty(header.getKey(), header.getValue());
        }
        if (request.body != null) {
            connection.setDoOutput(true);
            // Of a fixed length, so that the platform does not repeat the request by itself.
            connection.setFixedLengthStreamingMode(request.body.length);
        }
    }

    private int leftMs(long startUs) throws SocketTimeoutException {
        long leftMs = TIMEOUT_MS - (clocks.monoMicros() - startUs) / 1000;
        if (leftMs <= 0) throw new SocketTimeoutException("given up after 10 s");
        return (int) leftMs;
    }

    private byte[] read(HttpURLConnection connection, int status, long startUs) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try (InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream()) {
            if (in == null) return body.toByteArray();
            byte[] piece = new byte[4096];
            for (int count; (count = in.read(piece)) >= 0; ) {
                leftMs(startUs);
                if (body.size() + count > MOST_ANSWER) {
                    connection.disconnect();
                    break;
                }
                body.write(piece, 0, count);
            }
            return body.toByteArray();
        }
    }

    private static final class HttpAnswer extends Answer {
        private final HttpURLConnection connection;

        HttpAnswer(int status, byte[] body, HttpURLConnection connection) {
            super(status, body);
            this.connection = connection;
        }

        @Override
        public String header(String name) {
            return connection.getHeaderField(name);
        }
    }
}
