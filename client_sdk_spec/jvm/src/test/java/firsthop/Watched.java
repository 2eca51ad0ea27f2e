package firsthop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The client's own way of sending, and what went over it. */
public final class Watched implements Transport {
    private final Transport real = new HttpTransport(Clocks.SYSTEM);
    private final List<Integer> statuses = new ArrayList<>();
    private final List<Map<String, Object>> spans = new ArrayList<>();
    private final Map<String, Long> dropped = new LinkedHashMap<>();

    @Override
    public Answer send(Request request) throws IOException {
        int status = 0;
        try {
            Answer answer = real.send(request);
            status = answer.status;
            return answer;
        } finally {
            if (request.method.equals("POST")) note(request, status);
        }
    }

    private synchronized void note(Request request, int status) {
        statuses.add(status);
        if (status == 202) {
            FakeEdge.Received received = new FakeEdge.Received(request);
            java.nio.ByteBuffer ids = java.nio.ByteBuffer.wrap((byte[]) received.map.get("traces"));
            for (Map<String, Object> row : received.rows()) {
                int at = 16 * ((Long) row.remove("trace")).intValue();
                row.put("trace_id", Hex.of(ids.getLong(at)) + Hex.of(ids.getLong(at + 8)));
                spans.add(row);
            }
            received.part("dropped").forEach((reason, count) -> dropped.merge((String) reason, (Long) count, Long::sum));
        }
        notifyAll();
    }

    /** Whether so many spans were accepted in this time. */
    public synchronized boolean awaitAccepted(int count, int seconds) throws InterruptedException {
        long giveUp = System.nanoTime() + seconds * 1_000_000_000L;
        while (spans.size() < count && System.nanoTime() < giveUp) wait(100);
        return spans.size() >= count;
    }

    /** What every attempt was answered (0: not at all), the spans that were accepted, and the drops that were told. */
    public synchronized Map<String, Object> told() {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("statuses", statuses);
        told.put("spans", spans);
        told.put("dropped", dropped);
        return told;
    }
}
