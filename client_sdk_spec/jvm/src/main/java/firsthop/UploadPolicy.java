package firsthop;

/**
 * Whether now is a good time for what can wait: false on a low battery, with a data saver, when roaming. Errors and what a
 * user reported go all the same. Asked on the client's own thread before every attempt; must not throw.
 */
public interface UploadPolicy {
    boolean mayUploadBulk();

    /** Always a good time. */
    UploadPolicy ALWAYS = new UploadPolicy() {
        @Override
        public boolean mayUploadBulk() {
            return true;
        }
    };
}
