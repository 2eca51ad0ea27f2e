package firsthop;

/** How dear a span is: what is given up last. The letter stands in the names of files. */
enum Rank {
    ORDINARY('o'),
    SLOW('s'),
    ERROR('e');

    final char letter;

    Rank(char letter) {
        this.letter = letter;
    }

    /** Null for a letter that is none. */
    static Rank of(char letter) {
        for (Rank rank : values()) if (rank.letter == letter) return rank;
        return null;
    }
}
