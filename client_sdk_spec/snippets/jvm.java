// mvn install in client_sdk_spec/jvm, then firsthop:firsthop-client:0.1.0
import firsthop.Firsthop;
import firsthop.Options;
import firsthop.okhttp.FirsthopOkHttp;
import okhttp3.OkHttpClient;

Firsthop client = Firsthop.start(new Options("{{edge}}", "{{key}}").service("{{app}}").version("1.0.0"));
OkHttpClient http = new FirsthopOkHttp(client, "api.example.com").install(new OkHttpClient.Builder()).build();
