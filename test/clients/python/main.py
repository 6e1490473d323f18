"""Runs one client through all tasks against the gateway: `main.py MODULE BASE_URL`, as `js/main.js` does."""

import importlib
import json
import pathlib
import sys


def outcome(client, task, ask):
    if task in client.cannot:
        return {"cannot": client.cannot[task]}
    if not hasattr(client, task):
        return {"cannot": f"has no {task}"}
    try:
        return {"got": getattr(client, task)(ask)}
    except Exception as error:
        return {"thrown": {"message": str(error), **client.told(error)}}


module, base_url = sys.argv[1:]
asks = json.loads((pathlib.Path(__file__).parent.parent / "asks.json").read_text())
# Longer than the model can read.
asks["error"]["prompt"] *= 4_000
client = importlib.import_module(module).Client(base_url, "sk-any")
for task, ask in asks.items():
    print(json.dumps({"task": task, **outcome(client, task, ask)}), flush=True)
