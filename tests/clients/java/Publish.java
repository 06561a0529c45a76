import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.List;

/** One event in each mode of the SDK, sent by the JDK's own client as it comes. */
public class Publish {
    public static void main(String[] arguments) throws Exception {
        var event = CloudEventBuilder.v1()
            .withId(System.getenv("ID"))
            .withSource(URI.create("/gateway/152500"))
            .withType("settlement.recorded.v1")
            .withTime(OffsetDateTime.parse("2025-03-04T10:15:30+08:00"))
            .withSubject("settlement") // ASCII: the SDK hands other texts unescaped to a client that refuses them
            .withDataSchema(URI.create("urn:medfund:settlement.recorded.v1"))
            .withExtension("sequence", 7)
            .withExtension("sampled", true)
            .withData("application/json", Files.readAllBytes(Path.of(System.getenv("DATA"))))
            .build();
        var client = HttpClient.newHttpClient();
        for (var mode : List.of("binary", "structured")) {
            var request = HttpRequest.newBuilder(URI.create(System.getenv("API") + "/v1/events"))
                .header("Authorization", "Bearer " + System.getenv("TOKEN"));
            var writer = HttpMessageFactory.createWriter(
                request::header, body -> request.POST(BodyPublishers.ofByteArray(body)));
            if (mode.equals("binary")) {
                writer.writeBinary(event);
            } else {
                writer.writeStructured(event, JsonFormat.CONTENT_TYPE);
            }
            var answer = client.send(request.build(), BodyHandlers.ofString());
            System.out.println(mode + " " + answer.statusCode() + " " + answer.body());
        }
    }
}
