package firsthop;

import java.util.List;
import java.util.Map;

/** A client without a thread of its own, and the spans that reach the edge from it; for tests of other packages. */
public final class Recorder {
    private final FakeEdge edge = new FakeEdge();
    public final Firsthop client;

    public Recorder() {
        client = Firsthop.stepped(new Options("https://edge.example", "key").transport(edge));
    }

    /** Every span that was recorded so far, as it came over the wire. */
    public List<Map<String, Object>> spans() {
        client.flush();
        while (client.step() == 0) continue;
        return edge.rows();
    }
}
