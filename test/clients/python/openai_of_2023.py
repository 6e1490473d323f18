"""OpenAI's client before version 1."""

import json

import openai

from asks import called_in, calls_in, function_tool, json_schema, user


class Client:
    cannot = {}

    def __init__(self, base_url, api_key):
        openai.api_base = base_url
        openai.api_key = api_key

    def create(self, ask, **fields):
        return openai.ChatCompletion.create(
            model=ask["model"], messages=user(ask["prompt"]), temperature=0, **fields
        )

    def message(self, ask, **fields):
        return self.create(ask, **fields)["choices"][0]["message"]

    def chat(self, ask):
        return self.message(ask)["content"]

    def stream(self, ask):
        deltas = [chunk["choices"][0]["delta"] for chunk in self.create(ask, stream=True)]
        return [delta["content"] for delta in deltas if delta.get("content")]

    def tools(self, ask):
        return calls_in(self.message(ask, tools=[function_tool(ask)])["tool_calls"])

    def functions(self, ask):
        return called_in(self.message(ask, functions=[function_tool(ask)["function"]])["function_call"])

    def schema(self, ask):
        return json.loads(self.message(ask, response_format=json_schema(ask))["content"])

    def embeddings(self, ask):
        answer = openai.Embedding.create(model=ask["model"], input=ask["input"])
        return [item["embedding"] for item in answer["data"]]

    error = missing = chat
    broken = stream

    def told(self, error):
        return {"status": getattr(error, "http_status", None), "code": getattr(error, "code", None), "message": str(error)}
