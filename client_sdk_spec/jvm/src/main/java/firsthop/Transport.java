package firsthop;

import java.io.IOException;
import java.util.Map;

/** How requests leave: {@link HttpTransport} if an app passes no other. Called on the client's own thread. */
public interface Transport {
    /**
     * Sends one request and waits for its whole answer, for 10 s at most. Redirects are not followed, and the request is not
     * repeated.
     *
     * @throws IOException when there is no answer
     */
    Answer send(Request request) throws IOException;

    /** A request; the body of a GET is null. */
    final class Request {
        public final String method;
        public final String url;
        public final Map<String, String> headers;
        public final byte[] body;
        private final Clocks clocks;
        long writtenUs = -1;
        long answeredUs = -1;

        Request(String method, String url, Map<String, String> headers, byte[] body, Clocks clocks) {
            this.method = method;
            this.url = url;
            this.headers = headers;
            this.body = body;
            this.clocks = clocks;
        }

        /** To be called, where the transport can tell, when all handshakes are done and the head is about to be written. */
        public void headWritten() {
            writtenUs = clocks.monoMicros();
        }

        /** To be called, where the transport can tell, when the first byte of the answer is there. */
        public void firstByte() {
            answeredUs = clocks.monoMicros();
        }
    }

    /** An answer; {@link #header} gives null for what is not there. */
    abstract class Answer {
        public final int status;
        /** At most 64 KiB of it. */
        public final byte[] body;

        protected Answer(int status, byte[] body) {
            this.status = status;
            this.body = body;
        }

        public abstract String header(String name);
    }
}
