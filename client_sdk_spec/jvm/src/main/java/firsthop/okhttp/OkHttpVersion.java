package firsthop.okhttp;

/** Which OkHttp this is, as far as it matters. */
final class OkHttpVersion {
    private OkHttpVersion() {}

    static CallStamps.FirstByte firstByte() {
        String version = version();
        String[] parts = version.split("[.-]");
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = Integer.parseInt(parts[1]);
            boolean from43 = major > 4 || major == 4 && minor >= 3;
            return from43 ? CallStamps.FirstByte.HEADERS_START : CallStamps.FirstByte.HEADERS_END;
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException unknown) {
            return CallStamps.FirstByte.UNKNOWN;
        }
    }

    /** Empty where it cannot be told. */
    static String version() {
        try {
            return (String) Class.forName("okhttp3.OkHttp").getField("VERSION").get(null);
        } catch (ReflectiveOperationException | ClassCastException | LinkageError older) {
            return versionBefore4();
        }
    }

    private static String versionBefore4() {
        try {
            Object agent = Class.forName("okhttp3.internal.Version").getMethod("userAgent").invoke(null);
            return agent.toString().replace("okhttp/", "");
        } catch (ReflectiveOperationException | LinkageError renamed) {
            return "";
        }
    }
}
