package firsthop;

/** The eight phases of a request ({@code PHASES.md}), in their order. */
public enum Phase {
    REDIRECT(Column.REDIRECT),
    BLOCKED(Column.BLOCKED),
    DNS(Column.DNS),
    TCP(Column.TCP),
    TLS(Column.TLS),
    REQUEST(Column.REQUEST),
    TTFB(Column.TTFB),
    DOWNLOAD(Column.DOWNLOAD);

    /** It did not happen. */
    public static final long REUSED = -1;
    /** Nobody knows. */
    public static final long UNKNOWN = -2;

    final Column column;

    Phase(Column column) {
        this.column = column;
    }
}
