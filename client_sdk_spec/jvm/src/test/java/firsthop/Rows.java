package firsthop;

import java.util.List;
import java.util.Map;

/** Spans that say which row of which batch they were, so that halves can be told apart. */
final class Rows {
    private Rows() {}

    static Span span(String batch, int row) {
        return new Span(null)
                .trace(new java.util.UUID(1, row + 1))
                .set(Column.SPAN_ID, row + 1)
                .set(Column.NAME, batch)
                .set(Column.START, row)
                .set(Column.DURATION, row % 3 == 0 ? (1L << 40) + row : row)
                .attribute("row", row)
                .event("moment " + row, row % 2 == 0 ? (1L << 33) + row : row)
                .link(new java.util.UUID(7, row), row + 1);
    }

    /** For instance {@code a 2-5}: the rows 2 up to but without 5 of batch a. */
    static String of(FakeEdge.Received received) {
        List<Map<String, Object>> rows = received.rows();
        long first = (Long) rows.get(0).get("start_us");
        return rows.get(0).get("name") + " " + first + "-" + (first + rows.size());
    }
}
