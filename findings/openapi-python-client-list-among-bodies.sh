#!/bin/bash
# openapi-python-client 0.29.1, Python 3.11: an operation that takes one object or an array of them, as two media types.
#
# The generator ends without a warning, and its own ruff finds the module well formed. The module can be imported, and no
# call of it gets as far as a request, whichever of the two bodies is given: to find out which one it is, it asks
# isinstance(body, list[...]), and Python answers TypeError ("cannot be a parameterized generic").
# Expected: each of the two bodies is sent as its own media type; so it is where both are objects.
# Beside it stands what is known already (openapi-generators/openapi-python-client issue 1451): a required body of several
# media types names `Unset` without importing it. Here the body is not required, so that this is not in the way.
#
# Needs Python 3.11. Ends with 0 while it is so, and with 1 once it is otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3.11 -m venv venv
venv/bin/pip install -q --disable-pip-version-check openapi-python-client==0.29.1 'typer<0.28'
cat > openapi.json <<'JSON'
{"openapi": "3.1.0", "info": {"title": "Parcels", "version": "1"}, "paths": {"/parcels": {"post": {
  "operationId": "send",
  "requestBody": {"required": false, "content": {
    "application/json": {"schema": {"$ref": "#/components/schemas/Parcel"}},
    "application/vnd.parcels+json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Parcel"}}}}},
  "responses": {"202": {"description": "taken"}}}}},
 "components": {"schemas": {"Parcel": {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}}}}}
JSON
PATH="$folder/venv/bin:$PATH" venv/bin/openapi-python-client generate --path openapi.json --output-path made --meta none > generated.log 2>&1 || { cat generated.log >&2; exit 1; }

cat > call.py <<'PYTHON'
import sys
from importlib.metadata import version

from made.api.default import send
from made.models import Parcel

one = Parcel(to="north")
found = []
for name, body in (("one", one), ("an array", [one])):
    try:
        found.append(f"{name}: {send._get_kwargs(body=body)['headers']}")
    except Exception as error:
        found.append(f"{name}: {type(error).__name__}: {error}")
print("openapi-python-client", version("openapi-python-client"), "Python", sys.version.split()[0])
print(*found, sep="\n")
same = all("TypeError" in line and "parameterized generic" in line for line in found)
print("as it was found" if same else "IT IS OTHERWISE NOW")
sys.exit(not same)
PYTHON
venv/bin/python call.py || { grep -n isinstance made/api/default/send.py >&2; tail -3 generated.log >&2; exit 1; }
