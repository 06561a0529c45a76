"""One event in each mode of the SDK, sent with requests."""

import json
import os
from datetime import datetime
from pathlib import Path

import requests
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

event = CloudEvent(
    {
        "id": os.environ["ID"],
        "source": "/gateway/152500",
        "type": "settlement.recorded.v1",
        "time": datetime.fromisoformat("2025-03-04T10:15:30+08:00"),
        "specversion": "1.0",
        "subject": "结算",
        "dataschema": "urn:medfund:settlement.recorded.v1",
        "datacontenttype": "application/json",
        "sequence": 7,
        "sampled": True,
    },
    json.loads(Path(os.environ["DATA"]).read_bytes()),
)
for mode, written in (("binary", to_binary_event), ("structured", to_structured_event)):
    message = written(event)
    answer = requests.post(
        f"{os.environ['API']}/v1/events",
        data=message.body,
        headers={**message.headers, "Authorization": f"Bearer {os.environ['TOKEN']}"},
        timeout=30,
    )
    print(mode, answer.status_code, answer.text)
