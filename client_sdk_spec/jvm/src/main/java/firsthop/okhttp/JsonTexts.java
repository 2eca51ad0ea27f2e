package firsthop.okhttp;

import java.util.List;

/** A JSON array of texts. */
final class JsonTexts {
    private JsonTexts() {}

    static String array(List<String> texts) {
        StringBuilder built = new StringBuilder("[");
        for (String text : texts) {
            if (built.length() > 1) built.append(',');
            built.append('"');
            for (int i = 0; i < text.length(); i++) {
                char next = text.charAt(i);
                if (next == '"' || next == '\\') built.append('\\');
                // OkHttp lets no control character but the tab into a header.
                if (next == '\t') built.append("\\t");
                else built.append(next);
            }
            built.append('"');
        }
        return built.append(']').toString();
    }
}
