package firsthop;

/** What the user has agreed to ({@code WIRE.md}, "Consent"). */
public enum Consent {
    GRANTED("granted"),
    PENDING("pending"),
    DENIED("denied");

    final String word;

    Consent(String word) {
        this.word = word;
    }
}
