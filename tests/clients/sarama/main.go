// Where sarama puts keys, with the partitioner that the page names.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/IBM/sarama"
)

func main() {
	for _, key := range strings.Fields(os.Getenv("KEYS")) {
		for _, partitions := range []int32{6, 12, 24} {
			message := &sarama.ProducerMessage{Topic: "medfund.claims", Key: sarama.StringEncoder(key)}
			lane, err := sarama.NewMurmur2Partitioner(message.Topic).Partition(message, partitions)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(key, partitions, lane)
		}
	}
}
