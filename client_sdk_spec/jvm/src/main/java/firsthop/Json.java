package firsthop;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the two small JSON texts that the edge answers with: maps, lists, text, whole numbers as Long, others as Double, Boolean,
 * null. Texts beyond {@link #MOST_CHARACTERS}, and what is nested deeper than {@link #MOST_DEPTH}, are refused.
 */
final class Json {
    static final int MOST_CHARACTERS = 64 * 1024;
    static final int MOST_DEPTH = 16;

    private final String text;
    private int at;

    /** What is no JSON, or too much of it. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }
    }

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) throws Malformed {
        if (text.length() > MOST_CHARACTERS) throw new Malformed("too long");
        Json json = new Json(text);
        Object value = json.value(0);
        json.space();
        if (json.at < text.length()) throw new Malformed("something follows");
        return value;
    }

    private Object value(int depth) throws Malformed {
        if (depth > MOST_DEPTH) throw new Malformed("nested too deep");
        space();
        switch (peek()) {
            case '{': return map(depth);
            case '[': return list(depth);
            case '"': return string();
            case 't': return word("true", true);
            case 'f': return word("false", false);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Map<String, Object> map(int depth) throws Malformed {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        space();
        if (accept('}')) return map;
        do {
            space();
            if (peek() != '"') throw new Malformed("a key is text");
            String key = string();
            space();
            if (!accept(':')) throw new Malformed("a colon is missing");
            map.put(key, value(depth + 1));
            space();
        } while (accept(','));
        if (!accept('}')) throw new Malformed("a map does not end");
        return map;
    }

    private List<Object> list(int depth) throws Malformed {
        List<Object> list = new ArrayList<>();
        at++;
        space();
        if (accept(']')) return list;
        do {
            list.add(value(depth + 1));
            space();
        } while (accept(','));
        if (!accept(']')) throw new Malformed("a list does not end");
        return list;
    }

    private String string() throws Malformed {
        StringBuilder built = new StringBuilder();
        at++;
        while (true) {
            char next = take();
            if (next == '"') return built.toString();
            if (next < ' ') throw new Malformed("a control character in a text");
            built.append(next == '\\' ? escape() : next);
        }
    }

    private char escape() throws Malformed {
        char next = take();
        int simple = "\"\\/bfnrt".indexOf(next);
        if (simple >= 0) return "\"\\/\b\f\n\r\t".charAt(simple);
        if (next != 'u') throw new Malformed("an escape that is none");
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(take(), 16);
            if (digit < 0) throw new Malformed("an escape that is none");
            code = 16 * code + digit;
        }
        return (char) code;
    }

    private Object word(String word, Object value) throws Malformed {
        if (!text.startsWith(word, at)) throw new Malformed("a word that is none");
        at += word.length();
        return value;
    }

    private Object number() throws Malformed {
        int start = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(start, at);
        if (!digits.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) throw new Malformed("a number that is none");
        try {
            return Long.valueOf(digits);
        } catch (NumberFormatException fractionOrTooLarge) {
            return Double.valueOf(digits);
        }
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() throws Malformed {
        if (at >= text.length()) throw new Malformed("cut short");
        return text.charAt(at);
    }

    private char take() throws Malformed {
        char next = peek();
        at++;
        return next;
    }

    private boolean accept(char wanted) {
        if (at >= text.length() || text.charAt(at) != wanted) return false;
        at++;
        return true;
    }
}
