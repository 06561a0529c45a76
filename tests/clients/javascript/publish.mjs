// One event in each mode of the SDK: by its own transport, and by the client that comes with Node.
import { readFileSync } from "node:fs";
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from "cloudevents";

const target = `${process.env.API}/v1/events`;
const headers = { Authorization: `Bearer ${process.env.TOKEN}` };
const event = new CloudEvent({
  id: process.env.ID,
  source: "/gateway/152500",
  type: "settlement.recorded.v1",
  time: "2025-03-04T10:15:30+08:00",
  subject: "settlement", // ASCII: the SDK hands other texts unescaped to a client that refuses them
  dataschema: "urn:medfund:settlement.recorded.v1",
  datacontenttype: "application/json",
  sequence: 7,
  sampled: true,
  data: JSON.parse(readFileSync(process.env.DATA)),
});

const withFetch = async (message) => {
  const answer = await fetch(target, { method: "POST", body: message.body, headers: { ...message.headers, ...headers } });
  return { body: await answer.text() };
};

for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  for (const transport of [httpTransport(target), withFetch]) {
    const answer = await emitterFor(transport, { binding: HTTP, mode })(event, { headers });
    console.log(mode, JSON.parse(answer.body).accepted === 1 ? 202 : 0, answer.body);
  }
}
