package firsthop.okhttp;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import javax.net.SocketFactory;
import okhttp3.Dns;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.RequestBody;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import okio.BufferedSink;

/** A network whose delays are known: each is a lower bound that no load of the machine undercuts. */
final class SlowNetwork {
    static final long DNS_MS = 40;
    static final long TCP_MS = 50;
    static final long TLS_MS = 60;
    static final long REQUEST_MS = 70;
    static final long TTFB_MS = 80;
    static final long DOWNLOAD_MS = 90;

    static final HeldCertificate CERTIFICATE = new HeldCertificate.Builder()
            .commonName("localhost")
            .addSubjectAlternativeName("localhost")
            .addSubjectAlternativeName("other.example")
            .addSubjectAlternativeName("shop.example")
            .build();
    static final HandshakeCertificates SERVER =
            new HandshakeCertificates.Builder().heldCertificate(CERTIFICATE).build();
    static final HandshakeCertificates CLIENT =
            new HandshakeCertificates.Builder().addTrustedCertificate(CERTIFICATE.certificate()).build();

    private SlowNetwork() {}

    static OkHttpClient.Builder client() {
        return new OkHttpClient.Builder()
                .dns(dns("127.0.0.1"))
                .socketFactory(new SlowSockets())
                .sslSocketFactory(CLIENT.sslSocketFactory(), CLIENT.trustManager())
                .hostnameVerifier((host, session) -> {
                    pass(TLS_MS); // between the handshake and the end of secureConnect
                    return true;
                });
    }

    /** Every name has these addresses; names that end in ".invalid" have none. */
    static Dns dns(String... addresses) {
        return host -> {
            pass(DNS_MS);
            if (host.endsWith(".invalid")) throw new UnknownHostException(host);
            InetAddress[] found = new InetAddress[addresses.length];
            for (int i = 0; i < found.length; i++) found[i] = InetAddress.getByName(addresses[i]);
            List<InetAddress> list = Arrays.asList(found);
            return list;
        };
    }

    static RequestBody slowUpload(String text) {
        return new RequestBody() {
            @Override
            public MediaType contentType() {
                return MediaType.get("text/plain");
            }

            @Override
            public long contentLength() {
                return text.length();
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                pass(REQUEST_MS);
                sink.writeUtf8(text);
            }
        };
    }

    static void pass(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class SlowSockets extends SocketFactory {
        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public void connect(SocketAddress endpoint, int timeout) throws IOException {
                    pass(TCP_MS);
                    super.connect(endpoint, timeout);
                }
            };
        }

        @Override
        public Socket createSocket(String host, int port) throws IOException {
            Socket socket = createSocket();
            socket.connect(new InetSocketAddress(host, port));
            return socket;
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
            return createSocket(host, port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port) throws IOException {
            return createSocket(host.getHostAddress(), port);
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
            return createSocket(host, port);
        }
    }
}
