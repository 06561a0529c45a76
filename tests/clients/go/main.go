// One event in each mode of the SDK: by its client, and as a batch by Go's own.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

var target, token = os.Getenv("API") + "/v1/events", "Bearer " + os.Getenv("TOKEN")

func main() {
	event := made()
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(target), cloudevents.WithHeader("Authorization", token))
	must(err)
	fmt.Println("binary", sent(client, binding.WithForceBinary(context.Background()), event))
	fmt.Println("structured", sent(client, binding.WithForceStructured(context.Background()), event))
	fmt.Println("batch", sentTogether(event))
}

func made() cloudevents.Event {
	data, err := os.ReadFile(os.Getenv("DATA"))
	must(err)
	at, err := time.Parse(time.RFC3339, "2025-03-04T10:15:30+08:00")
	must(err)
	event := cloudevents.NewEvent()
	event.SetID(os.Getenv("ID"))
	event.SetSource("/gateway/152500")
	event.SetType("settlement.recorded.v1")
	event.SetTime(at)
	event.SetSubject("结算")
	event.SetDataSchema("urn:medfund:settlement.recorded.v1")
	event.SetExtension("sequence", 7)
	event.SetExtension("sampled", true)
	must(event.SetData(cloudevents.ApplicationJSON, json.RawMessage(data)))
	return event
}

func sent(client cloudevents.Client, mode context.Context, event cloudevents.Event) int {
	var answer *cehttp.Result
	result := client.Send(mode, event)
	if !cloudevents.ResultAs(result, &answer) {
		log.Fatal(result)
	}
	return answer.StatusCode
}

func sentTogether(event cloudevents.Event) int {
	request, err := cehttp.NewHTTPRequestFromEvents(context.Background(), target, []cloudevents.Event{event})
	must(err)
	request.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(request)
	must(err)
	return answer.StatusCode
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
