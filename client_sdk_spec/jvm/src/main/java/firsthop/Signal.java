package firsthop;

/** What a span is about; the wire number is the position ({@code fields.json}, {@code signal}). */
public enum Signal {
    REQUEST,
    OPERATION,
    PAGE,
    SCREEN,
    EXCEPTION,
    LONG_TASK,
    EVENT,
    LCP,
    INP,
    CLS,
    FCP,
    TTFB,
    REPORT,
    START
}
