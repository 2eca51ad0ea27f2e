package firsthop;

/** The columns of {@code fields.json} in its order; a test holds them together. */
enum Column {
    TRACE("trace", Type.ROW),
    SPAN_ID("span_id", Type.ID),
    PARENT_SPAN_ID("parent_span_id", Type.ID),
    NAME("name", Type.TEXT),
    SIGNAL("signal", 0),
    KIND("kind", 3),
    STATUS("status", 0),
    START("start_us", -2),
    DURATION("duration_us", -2),
    REDIRECT("redirect_us", -2),
    BLOCKED("blocked_us", -2),
    DNS("dns_us", -2),
    TCP("tcp_us", -2),
    TLS("tls_us", -2),
    REQUEST("request_us", -2),
    TTFB("ttfb_us", -2),
    DOWNLOAD("download_us", -2),
    METHOD("method", Type.TEXT),
    URL("url", Type.TEXT),
    ROUTE("route", Type.TEXT),
    HTTP_STATUS("http_status", -2),
    ERROR_TYPE("error_type", Type.TEXT),
    PROTOCOL("protocol", Type.TEXT),
    SCREEN("screen", Type.TEXT),
    REQUEST_BYTES("request_bytes", -2),
    RESPONSE_BYTES("response_bytes", -2),
    THRESHOLD("threshold", Type.TEXT),
    RANDOMNESS("randomness", Type.TEXT);

    enum Type {
        ROW,
        ID,
        TEXT,
        NUMBER
    }

    static final Column[] ALL = values();

    final String wire;
    final Type type;
    /** Of a number that is absent. */
    final long absent;

    Column(String wire, Type type) {
        this.wire = wire;
        this.type = type;
        this.absent = 0;
    }

    Column(String wire, long absent) {
        this.wire = wire;
        this.type = Type.NUMBER;
        this.absent = absent;
    }
}
