// implementation(platform("io.opentelemetry.android:opentelemetry-android-bom:<version>"))
// implementation("io.opentelemetry.android:android-agent")
import android.app.Application
import io.opentelemetry.android.agent.OpenTelemetryRumInitializer
import io.opentelemetry.api.common.AttributeKey.stringKey

class MyApplication : Application() {
    override fun onCreate() {
        super.onCreate()
        OpenTelemetryRumInitializer.initialize(
            context = this,
            configuration = {
                httpExport {
                    baseUrl = "{{edge}}"
                    baseHeaders = mapOf("x-api-key" to "{{key}}")
                }
                resource {
                    put(stringKey("service.name"), "{{app}}")
                    put(stringKey("service.version"), "1.0.0")
                }
            },
        )
    }
}
