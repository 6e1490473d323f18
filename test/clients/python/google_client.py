"""Google's own client for Gemini."""

import json

from google import genai
from google.genai import types


class Client:
    cannot = {}

    def __init__(self, base_url, api_key):
        options = types.HttpOptions(base_url=base_url.removesuffix("/v1"))
        self.client = genai.Client(api_key=api_key, http_options=options)

    def body(self, ask, **config):
        return {"model": ask["model"], "contents": ask["prompt"], "config": {"temperature": 0, **config}}

    def chat(self, ask):
        return self.client.models.generate_content(**self.body(ask)).text

    def stream(self, ask):
        return [chunk.text for chunk in self.client.models.generate_content_stream(**self.body(ask)) if chunk.text]

    def tools(self, ask):
        declared = {
            "name": ask["name"],
            "description": ask["description"],
            "parameters_json_schema": ask["parameters"],
        }
        answer = self.client.models.generate_content(**self.body(ask, tools=[{"function_declarations": [declared]}]))
        return [{"name": call.name, "arguments": call.args} for call in answer.function_calls]

    def loop(self, ask):
        def get_weather(city: str) -> str:
            """d"""
            return ask["result"]

        return self.client.models.generate_content(**self.body(ask, tools=[get_weather])).text

    def schema(self, ask):
        config = {"response_mime_type": "application/json", "response_json_schema": ask["schema"]}
        return json.loads(self.client.models.generate_content(**self.body(ask, **config)).text)

    def embeddings(self, ask):
        answer = self.client.models.embed_content(model=ask["model"], contents=ask["input"])
        return [embedding.values for embedding in answer.embeddings]

    def count(self, ask):
        return self.client.models.count_tokens(model=ask["model"], contents=ask["prompt"]).total_tokens

    def models(self, ask):
        return [model.name.removeprefix("models/") for model in self.client.models.list()]

    error = missing = chat
    broken = stream

    def told(self, error):
        return {
            "status": getattr(error, "code", None),
            "code": getattr(error, "status", None),
            "message": str(error),
        }
