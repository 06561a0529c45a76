// Where kafkajs puts keys: by its default, and by the partitioner that the page names.
import { Partitioners } from "kafkajs";

for (const make of [Partitioners.DefaultPartitioner, Partitioners.JavaCompatiblePartitioner]) {
  const partitioner = make();
  for (const key of process.env.KEYS.split(" ")) {
    for (const partitions of [6, 12, 24]) {
      const partitionMetadata = [...Array(partitions).keys()].map((partitionId) => ({ partitionId, leader: 0 }));
      const lane = partitioner({ topic: "medfund.claims", partitionMetadata, message: { key: Buffer.from(key) } });
      console.log(key, partitions, lane);
    }
  }
}
