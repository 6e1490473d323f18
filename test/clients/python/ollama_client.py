"""Ollama's own client."""

import json

import ollama

from asks import function_tool, user

options = {"temperature": 0}


class Client:
    cannot = {}

    def __init__(self, base_url, api_key):
        self.client = ollama.Client(host=base_url.removesuffix("/v1"))

    def ask(self, ask, **fields):
        return self.client.chat(**{"model": ask["model"], "messages": user(ask["prompt"]), "options": options, **fields})

    def chat(self, ask):
        return self.ask(ask).message.content

    def stream(self, ask):
        return [part.message.content for part in self.ask(ask, stream=True) if part.message.content]

    def tools(self, ask):
        calls = self.ask(ask, tools=[function_tool(ask)]).message.tool_calls
        return [{"name": call.function.name, "arguments": dict(call.function.arguments)} for call in calls]

    def loop(self, ask):
        tools = [function_tool(ask)]
        message = self.ask(ask, tools=tools).message
        results = [
            {"role": "tool", "tool_name": call.function.name, "content": ask["result"]} for call in message.tool_calls
        ]
        return self.ask(ask, tools=tools, messages=[*user(ask["prompt"]), message, *results]).message.content

    def schema(self, ask):
        return json.loads(self.ask(ask, format=ask["schema"]).message.content)

    def embeddings(self, ask):
        return [list(vector) for vector in self.client.embed(model=ask["model"], input=ask["input"]).embeddings]

    def generate(self, ask):
        return self.client.generate(model=ask["model"], prompt=ask["prompt"], options=options).response

    def models(self, ask):
        return [model.model.removesuffix(":latest") for model in self.client.list().models]

    def show(self, ask):
        return self.client.show(ask["model"]).capabilities

    error = missing = chat
    broken = stream

    def told(self, error):
        return {"status": getattr(error, "status_code", None), "message": str(error)}
