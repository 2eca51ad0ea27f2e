package firsthop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is on disk: over processes that end in order, that are killed, and disks that break. */
class DiskTest {
    private static final long S = 1_000_000;

    @TempDir
    File directory;

    private final FakeEdge edge = new FakeEdge();
    private final FakeClocks clocks = new FakeClocks();

    private Firsthop process() {
        return Firsthop.stepped(new Options("https://edge.example", "key")
                .clocks(clocks)
                .transport(edge)
                .directory(directory)
                .random(new Random(edge.attempts.size())));
    }

    private static void record(Firsthop client, int count) {
        for (int i = 0; i < count; i++) client.span("span " + i).end();
        client.flush();
        client.step();
    }

    private void run(Firsthop client, long us) {
        long until = clocks.monoUs + us;
        for (long waitUs; clocks.monoUs + (waitUs = client.step()) <= until; ) clocks.pass(waitUs);
        clocks.pass(until - clocks.monoUs);
    }

    private void offline(int attempts) {
        for (int i = 0; i < attempts; i++) edge.answers.add(new IOException("offline"));
    }

    private List<File> batches() {
        List<File> files = new ArrayList<>();
        for (File file : directory.listFiles()) if (file.getName().endsWith(".batch")) files.add(file);
        java.util.Collections.sort(files);
        return files;
    }

    private long told(String reason) {
        long told = 0;
        for (FakeEdge.Received each : edge.accepted) {
            Object count = each.part("dropped").get(reason);
            told += count == null ? 0 : (Long) count;
        }
        return told;
    }

    @Test
    void what_could_not_be_sent_is_sent_by_the_next_process_as_it_was() {
        offline(1);
        Firsthop first = process();
        record(first, 5);
        first.step();
        first.shut();
        assertEquals(1, batches().size());
        byte[] body = edge.attempts.get(0).body;
        Firsthop second = process();
        run(second, 31 * S);
        assertEquals(5, edge.rows().size());
        org.junit.jupiter.api.Assertions.assertArrayEquals(body, edge.accepted.get(0).body);
        assertEquals(0, batches().size());
        second.shut();
    }

    @Test
    void a_batch_of_an_earlier_process_goes_with_the_anchor_of_its_own_epoch() {
        edge.headers.put("Firsthop-Received-Us", "1790000000000000");
        edge.headers.put("Firsthop-Replied-Us", "1790000000000000");
        edge.config = "{}";
        offline(1);
        Firsthop first = process();
        record(first, 1);
        String epoch = null;
        first.step();
        first.shut();
        epoch = (String) edge.attempts.get(0).part("clock").get("epoch");
        edge.configRequests.clear();
        run(process(), 31 * S);
        assertTrue(edge.accepted.get(0).query.contains("oe=" + epoch), edge.accepted.get(0).query);
        assertFalse(edge.accepted.get(0).query.contains("e=" + epoch + "&"));
    }

    @Test
    void processes_of_one_boot_share_the_epoch() {
        clocks.bootId = "41";
        offline(2);
        for (int i = 0; i < 2; i++) {
            Firsthop client = process();
            record(client, 1);
            client.step();
            client.shut();
            clocks.pass(60 * S);
        }
        Set<Object> epochs = new HashSet<>();
        for (FakeEdge.Received each : edge.attempts) epochs.add(each.part("clock").get("epoch"));
        assertEquals(1, epochs.size());
        clocks.bootId = "42";
        clocks.monoUs = 0;
        edge.answers.clear();
        Firsthop rebooted = process();
        record(rebooted, 1);
        run(rebooted, 31 * S);
        epochs.add(edge.accepted.get(edge.accepted.size() - 1).part("clock").get("epoch"));
        assertEquals(2, epochs.size());
    }

    @Test
    void a_directory_belongs_to_one_process_at_a_time() {
        DiskStorage first = DiskStorage.open(directory);
        assertNotNull(first);
        assertNull(DiskStorage.open(directory));
        first.close();
        DiskStorage second = DiskStorage.open(directory);
        assertNotNull(second);
        second.close();
    }

    @Test
    void a_file_that_is_broken_or_was_not_finished_is_dropped_and_its_spans_are_told() throws IOException {
        offline(9);
        Firsthop first = process();
        for (int size = 1; size <= 3; size++) record(first, 1 << size);
        first.shut();
        List<File> files = batches();
        assertEquals(3, files.size());
        try (RandomAccessFile broken = new RandomAccessFile(files.get(0), "rw")) {
            broken.seek(broken.length() / 2);
            int old = broken.read();
            broken.seek(broken.length() / 2);
            broken.write(old ^ 1);
        }
        try (RandomAccessFile cut = new RandomAccessFile(files.get(1), "rw")) {
            cut.setLength(cut.length() - 1);
        }
        // As a process leaves it that is killed in the middle of a write.
        assertTrue(files.get(2).renameTo(new File(files.get(2).getPath() + Durable.UNFINISHED)));
        Files.write(new File(directory, "nonsense.batch").toPath(), new byte[] {1});
        edge.answers.clear();
        Firsthop second = process();
        run(second, S);
        record(second, 1);
        run(second, S);
        assertEquals(1, edge.rows().size());
        assertEquals(2 + 4 + 8, told("other"));
        assertEquals(0, batches().size());
    }

    @Test
    void when_the_disk_is_full_of_batches_ordinary_spans_go_before_errors() {
        offline(100_000);
        Firsthop client = process();
        StringBuilder noise = new StringBuilder();
        Random random = new Random(1);
        int errors = 0;
        long ordinary = 0;
        for (int batch = 0; batch < 700; batch++) {
            for (int i = 0; i < 4; i++) {
                noise.setLength(0);
                while (noise.length() < 6000) noise.append((char) (' ' + random.nextInt(90)));
                client.span("ordinary").attribute("noise", noise.toString()).end();
            }
            ordinary += 4;
            if (batch % 7 == 0) {
                client.span("wrong").failed("Error").end();
                errors++;
            }
            client.flush();
            client.step();
        }
        client.shut();
        long bytes = 0;
        for (File file : batches()) bytes += file.length();
        assertTrue(bytes <= 10 * 1024 * 1024, bytes + " bytes");
        edge.answers.clear();
        Firsthop next = process();
        run(next, 10 * S);
        record(next, 1);
        run(next, S);
        Map<Object, Integer> arrived = new TreeMap<>();
        for (Map<String, Object> row : edge.rows()) arrived.merge(row.get("name"), 1, Integer::sum);
        assertEquals(errors, arrived.get("wrong"));
        assertTrue(told("queue_overflow") > 0);
        assertEquals(ordinary, arrived.get("ordinary") + told("queue_overflow"));
    }

    @Test
    void after_seven_days_nothing_is_sent_any_more() {
        offline(1);
        Firsthop first = process();
        record(first, 5);
        first.step();
        first.shut();
        clocks.pass(7L * 24 * 3600 * S + 1);
        Firsthop second = process();
        run(second, S);
        record(second, 1);
        run(second, S);
        assertEquals(1, edge.rows().size());
        assertEquals(5, told("expired"));
    }

    @Test
    void a_process_killed_between_batch_and_counters_tells_no_drop_twice() throws IOException {
        offline(1);
        edge.answers.add(400);
        Firsthop first = process();
        record(first, 2);
        run(first, 3 * S); // rejected: two drops are kept in the note
        File note = new File(directory, "drops");
        byte[] before = Files.readAllBytes(note.toPath());
        offline(100);
        record(first, 1); // a batch takes them along
        first.shut();
        Files.write(note.toPath(), before); // as if the process had ended before the note was written
        edge.answers.clear();
        Firsthop second = process();
        run(second, 31 * S);
        record(second, 1);
        run(second, 31 * S);
        assertEquals(2, told("rejected"));
    }

    @Test
    void counters_survive_the_process() {
        edge.answers.add(400);
        Firsthop first = process();
        record(first, 3);
        run(first, S);
        first.shut();
        Firsthop second = process();
        record(second, 1);
        run(second, S);
        assertEquals(3, told("rejected"));
    }

    @Test
    void a_directory_that_cannot_be_made_leaves_the_client_in_memory() throws IOException {
        File file = new File(directory, "file");
        assertTrue(file.createNewFile());
        Firsthop client = Firsthop.stepped(
                new Options("https://edge.example", "key").clocks(clocks).transport(edge).directory(new File(file, "below")));
        record(client, 2);
        run(client, S);
        assertEquals(2, edge.rows().size());
    }

    /** Another JVM writes batches as fast as it can, and is killed; whatever it had said to have written is there. */
    @Test
    void what_was_written_before_a_kill_is_there_after_it() throws Exception {
        String java = System.getProperty("java.home") + "/bin/java";
        Process writer = new ProcessBuilder(
                        java, "-cp", System.getProperty("java.class.path"), Writing.class.getName(), directory.getPath())
                .redirectErrorStream(true)
                .start();
        Set<String> said = new HashSet<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(writer.getInputStream()))) {
            while (said.size() < 40) said.add(lines.readLine());
            writer.destroyForcibly().waitFor();
        }
        assertEquals(40, said.size());
        DiskStorage left = DiskStorage.open(directory);
        Map<String, Integer> found = new HashMap<>();
        for (BatchQueue.Entry entry : left.found()) {
            SealedBatch batch = left.get(entry);
            assertNotNull(batch, "a whole name with half a content");
            assertEquals(entry.spans, batch.spans);
            found.put(Hex.of(batch.id), batch.spans);
        }
        assertTrue(found.keySet().containsAll(said));
        assertTrue(left.lostSpans() <= 3);
        left.close();
    }

    /** What the killed process runs. */
    static final class Writing {
        public static void main(String[] arguments) {
            DiskStorage storage = DiskStorage.open(new File(arguments[0]));
            BatchQueue queue = new BatchQueue(storage, new DropCounters());
            Random random = new Random();
            while (true) {
                byte[] body = new byte[2000];
                random.nextBytes(body);
                SealedBatch batch = new SealedBatch(
                        Hex.random(random), Rank.ORDINARY, 3, "e", 0, new java.util.LinkedHashMap<>(), body, 1_790_000_000_000_000L, -1);
                queue.add(batch);
                System.out.println(Hex.of(batch.id));
            }
        }
    }
}
