package firsthop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** One attempt after the other: each with a new stamp, the same id and the same bytes. Used by one thread. */
final class Sender {
    /** How long to wait before asking the policy again. */
    private static final long DEFER_US = 60_000_000;

    private final Options options;
    private final DeviceClock clock;
    private final BatchQueue queue;
    private final RetrySchedule schedule;

    Sender(Options options, DeviceClock clock, BatchQueue queue, RetrySchedule schedule) {
        this.options = options;
        this.clock = clock;
        this.queue = queue;
        this.schedule = schedule;
    }

    /** Makes one attempt if one may be made; returns when the next may be, or {@link Long#MAX_VALUE} if nothing waits for it. */
    long attempt() {
        queue.dropExpired(options.clocks.wallMicros());
        long nowUs = options.clocks.monoMicros();
        if (schedule.stopped || queue.size() == 0) return Long.MAX_VALUE;
        if (nowUs < schedule.notBeforeUs) return schedule.notBeforeUs;
        BatchQueue.Entry entry = queue.next(!options.uploadPolicy.mayUploadBulk());
        if (entry == null) return nowUs + DEFER_US;
        SealedBatch batch = queue.read(entry);
        if (batch != null) send(entry, batch);
        return queue.size() == 0 ? Long.MAX_VALUE : Math.max(schedule.notBeforeUs, options.clocks.monoMicros());
    }

    /** Whether what is sealed now can leave now. */
    boolean isIdle() {
        boolean waits = options.clocks.monoMicros() < schedule.notBeforeUs;
        return queue.size() == 0 && !waits && !schedule.stopped && options.uploadPolicy.mayUploadBulk();
    }

    private void send(BatchQueue.Entry entry, SealedBatch batch) {
        Map<String, String> stamp = clock.stamp(batch.epoch, batch.nearUs);
        Transport.Request request = request(batch, stamp);
        int status = 0;
        Transport.Answer answer = null;
        try {
            answer = options.transport.send(request);
            status = answer.status;
        } catch (IOException | RuntimeException noAnswer) {
            // an app's own transport may throw anything
        }
        long nowUs = clock.read();
        String retryAfter = answer == null ? null : answer.header("Retry-After");
        String date = answer == null ? null : answer.header("Date");
        switch (schedule.answered(status, nowUs, retryAfter, date)) {
            case ACCEPTED:
                queue.remove(entry);
                anchor(request, stamp, answer, nowUs);
                break;
            case HALVE:
                SealedBatch[] halves = Splitter.halve(batch);
                if (halves == null) queue.drop(entry, batch, DropCounters.TOO_LARGE);
                else queue.replace(entry, halves[0], halves[1]);
                break;
            case LATER:
                break;
            default:
                queue.drop(entry, batch, DropCounters.REJECTED);
        }
    }

    private Transport.Request request(SealedBatch batch, Map<String, String> stamp) {
        StringBuilder url = new StringBuilder(options.endpoint).append("/v1/batches");
        char separator = '?';
        for (Map.Entry<String, String> parameter : stamp.entrySet()) {
            url.append(separator).append(parameter.getKey()).append('=').append(parameter.getValue());
            separator = '&';
        }
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("x-api-key", options.key);
        headers.put("Content-Type", "application/octet-stream");
        return new Transport.Request("POST", url.toString(), headers, batch.body, options.clocks);
    }

    private void anchor(Transport.Request request, Map<String, String> stamp, Transport.Answer answer, long nowUs) {
        try {
            Map<?, ?> told = (Map<?, ?>) Json.parse(new String(answer.body, StandardCharsets.UTF_8));
            long sentUs = request.writtenUs < 0 ? Long.parseLong(stamp.get("s")) : request.writtenUs;
            long answeredUs = request.answeredUs < 0 ? nowUs : request.answeredUs;
            clock.answered(sentUs, answeredUs, (Long) told.get("received_us"), (Long) told.get("replied_us"));
        } catch (Json.Malformed | ClassCastException | NullPointerException silent) {
            // accepted all the same; it told no time
        }
    }
}
