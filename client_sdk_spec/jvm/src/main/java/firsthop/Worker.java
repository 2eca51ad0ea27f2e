package firsthop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What the client's own thread does, over and over: takes spans out of the inbox, samples them, seals batches that are due,
 * asks for the configuration, sends. Only {@link #step} does anything, so a test is as good as a thread.
 */
final class Worker {
    /** Both clocks are read at least this often. */
    private static final long SAMPLE_US = 15_000_000;
    /** What was dropped is told at the latest so long after the last batch. */
    private static final long TELL_US = 300_000_000;

    private final Options options;
    private final Random random;
    private final DeviceClock clock;
    private final ClockNote clockNote;
    private final Inbox inbox;
    private final DropCounters drops;
    private final Storage storage;
    private final BatchQueue queue;
    private final RetrySchedule schedule;
    private final Sender sender;
    private final ConfigSource configs;
    private final OpenBatches open = new OpenBatches();
    private final LeftOut leftOut = new LeftOut();
    private final Session session;
    private long sealedUs;

    Worker(Options options, Storage storage, ClockNote clockNote, Session session, Inbox inbox, DropCounters drops) {
        this.options = options;
        this.random = options.random;
        this.session = session;
        this.sealedUs = options.clocks.monoMicros();
        this.storage = storage;
        this.clockNote = clockNote;
        this.clock = clockNote.clock;
        this.inbox = inbox;
        this.drops = drops;
        this.queue = new BatchQueue(storage, drops);
        drops.resume(storage, queue);
        this.schedule = new RetrySchedule(random);
        this.sender = new Sender(options, clock, queue, schedule);
        this.configs = new ConfigSource(options, storage, random);
    }

    /**
     * Does what is to be done now, one request to the edge at most.
     *
     * @param flush seals what is open, due or not
     * @param report the user reported a problem
     * @return in how many µs it wants to be called again; 0: at once
     */
    long step(boolean flush, boolean report) {
        long nowUs = clock.read();
        boolean ask = nowUs >= configs.nextUs() && !schedule.stopped;
        if (ask) nowUs = askForConfig(); // first: it decides what becomes of the spans that wait
        ClientConfig config = configs.inForce(nowUs);
        drain(config, nowUs);
        for (OpenBatches.Open due : open.due(nowUs, flush || report)) seal(config, due);
        if (config.send) {
            if (report) report();
            tell(flush, nowUs);
        } else {
            queue.dropAll(DropCounters.SAMPLED);
        }
        long nextUs = ask ? nowUs : sender.attempt();
        if (!schedule.stopped) nextUs = Math.min(nextUs, configs.nextUs());
        clockNote.keep();
        drops.keep(storage);
        nextUs = Math.min(Math.min(nextUs, open.nextUs()), nowUs + SAMPLE_US);
        return Math.max(nextUs - options.clocks.monoMicros(), 0);
    }

    /** Seals a batch without spans when nothing else carries the counters. */
    private void tell(boolean flush, long nowUs) {
        boolean due = flush || nowUs - sealedUs >= TELL_US;
        if (!due || !open.isEmpty() || !sender.isIdle() || drops.pending().isEmpty()) return;
        seal(Rank.ORDINARY, session.now(), clock.epoch(), new ArrayList<Span>());
    }

    /** Whether nothing sealed waits to be sent, or nothing will be sent any more. */
    boolean hasNothingToSend() {
        return queue.size() == 0 || schedule.stopped;
    }

    /** Whether nothing can be sent just now. */
    boolean mustWait() {
        boolean waits = options.clocks.monoMicros() < schedule.notBeforeUs;
        return hasNothingToSend() || waits || queue.next(!options.uploadPolicy.mayUploadBulk()) == null;
    }

    void close() {
        drops.keep(storage);
        storage.close();
    }

    private void drain(ClientConfig config, long nowUs) {
        for (Span span; (span = inbox.poll()) != null; ) {
            Sampler.Decision decision = Sampler.decide(config, span);
            if (!config.send || !decision.kept) {
                drops.add(DropCounters.SAMPLED, 1);
                inbox.release(span.bytes());
                if (config.send) leftOut.add(span, decision.threshold);
                continue;
            }
            if (!decision.threshold.isEmpty()) span.declare(decision.threshold);
            OpenBatches.Open full = open.add(span, nowUs);
            if (full != null) seal(config, full);
        }
    }

    /** As one batch when it can leave now; else as one for each rank, so that what is least dear can be given up first. */
    private void seal(ClientConfig config, OpenBatches.Open batch) {
        for (Span span : batch.spans) inbox.release(span.bytes());
        Map<Rank, List<Span>> ranked = new LinkedHashMap<>();
        boolean together = sender.isIdle();
        Rank dearest = Rank.ORDINARY;
        for (Span span : batch.spans) {
            Rank rank = Sampler.rank(config, span);
            if (rank.compareTo(dearest) > 0) dearest = rank;
            if (!ranked.containsKey(rank)) ranked.put(rank, new ArrayList<Span>());
            ranked.get(rank).add(span);
        }
        if (together) {
            seal(dearest, batch.context, batch.epoch, batch.spans);
            return;
        }
        for (Map.Entry<Rank, List<Span>> entry : ranked.entrySet()) {
            seal(entry.getKey(), batch.context, batch.epoch, entry.getValue());
        }
    }

    private void seal(Rank rank, Context context, String epoch, List<Span> spans) {
        Map<String, Long> dropped = drops.pending();
        java.util.UUID id = Hex.random(random);
        byte[] body = Encoder.encode(id, resource(context), clock.sealed(epoch), dropped, spans);
        sealedUs = options.clocks.monoMicros();
        long leastUs = spans.isEmpty() ? sealedUs : Long.MAX_VALUE;
        long mostUs = spans.isEmpty() ? sealedUs : Long.MIN_VALUE;
        for (Span span : spans) {
            leastUs = Math.min(leastUs, span.number(Column.START));
            mostUs = Math.max(mostUs, span.endUs());
        }
        queue.add(new SealedBatch(
                id,
                rank,
                spans.size(),
                epoch,
                leastUs + (mostUs - leastUs) / 2,
                dropped,
                Compression.deflate(body),
                options.clocks.wallMicros(),
                dropped.isEmpty() ? -1 : drops.state()));
        if (!dropped.isEmpty()) drops.taken(dropped);
        clockNote.changed();
    }

    private Map<String, Object> resource(Context context) {
        Map<String, Object> resource = new LinkedHashMap<>(options.resource);
        if (!context.network.isEmpty()) resource.put("network", context.network);
        if (!context.session.isEmpty()) resource.put("session", context.session);
        if (context.isWithoutConsent()) resource.remove("installation");
        if (context.consent != null) resource.put("consent", context.consent.word);
        if (context.reported) resource.put("reported", true);
        return resource;
    }

    /** Sends after all what sampling left out, each span with the threshold that it failed. */
    private void report() {
        OpenBatches batches = new OpenBatches();
        List<OpenBatches.Open> full = new ArrayList<>();
        for (Span span : leftOut.takeAll()) {
            span.context = span.context.asReported();
            OpenBatches.Open batch = batches.add(span, 0);
            if (batch != null) full.add(batch);
        }
        full.addAll(batches.due(0, true));
        for (OpenBatches.Open batch : full) seal(Rank.ERROR, batch.context, batch.epoch, batch.spans);
    }

    /** Returns when it was answered. */
    private long askForConfig() {
        boolean askTime = !clock.isAnchored();
        Transport.Request request = configs.request(askTime);
        long sentUs = clock.read();
        Transport.Answer answer = null;
        try {
            answer = options.transport.send(request);
        } catch (IOException | RuntimeException noAnswer) {
            // it goes on with what it holds
        }
        long nowUs = clock.read();
        configs.answered(answer, nowUs);
        if (answer == null || !askTime) return nowUs;
        try {
            clock.answered(
                    request.writtenUs < 0 ? sentUs : request.writtenUs,
                    request.answeredUs < 0 ? nowUs : request.answeredUs,
                    Long.parseLong(answer.header("Firsthop-Received-Us")),
                    Long.parseLong(answer.header("Firsthop-Replied-Us")));
            clockNote.changed();
        } catch (NumberFormatException silent) {
            // it told no time
        }
        return nowUs;
    }
}
