"""Parts of requests in OpenAI's format, and of answers as the tasks expect them."""

import json


def user(prompt):
    return [{"role": "user", "content": prompt}]


def function_tool(ask):
    function = {key: ask[key] for key in ("name", "description", "parameters")}
    return {"type": "function", "function": function}


def json_schema(ask):
    return {"type": "json_schema", "json_schema": {"name": ask["name"], "strict": True, "schema": ask["schema"]}}


def calls_in(calls):
    return [called_in(call["function"]) for call in calls]


def called_in(called):
    return {"name": called["name"], "arguments": json.loads(called["arguments"])}
