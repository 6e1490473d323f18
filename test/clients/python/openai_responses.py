"""OpenAI's client with responses."""

import json
from typing import Literal

import openai
from pydantic import BaseModel


class Answer(BaseModel):
    ok: bool
    color: Literal["red", "green"]


class Client:
    cannot = {
        "functions": "has no functions in responses",
        "embeddings": "is the same client as above",
    }

    def __init__(self, base_url, api_key):
        self.responses = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0).responses

    def create(self, ask, **fields):
        return self.responses.create(**{"model": ask["model"], "input": ask["prompt"], "temperature": 0, **fields})

    def chat(self, ask):
        return self.create(ask).output_text

    def stream(self, ask):
        texts = []
        with self.responses.stream(model=ask["model"], input=ask["prompt"], temperature=0) as events:
            for event in events:
                if event.type == "response.output_text.delta":
                    texts.append(event.delta)
                if event.type == "response.failed":
                    raise RuntimeError(event.response.error.message)
        return texts

    def tool(self, ask):
        function = {key: ask[key] for key in ("name", "description", "parameters")}
        return {"type": "function", "strict": True, **function}

    def tools(self, ask):
        output = self.create(ask, tools=[self.tool(ask)]).output
        calls = [item for item in output if item.type == "function_call"]
        return [{"name": call.name, "arguments": json.loads(call.arguments)} for call in calls]

    def loop(self, ask):
        asked = [{"role": "user", "content": ask["prompt"]}]
        output = self.create(ask, input=asked, tools=[self.tool(ask)]).output
        results = [
            {"type": "function_call_output", "call_id": item.call_id, "output": ask["result"]}
            for item in output
            if item.type == "function_call"
        ]
        return self.create(ask, input=asked + output + results, tools=[self.tool(ask)]).output_text

    def schema(self, ask):
        answer = self.responses.parse(model=ask["model"], input=ask["prompt"], temperature=0, text_format=Answer)
        return answer.output_parsed.model_dump()

    error = missing = chat
    broken = stream

    def told(self, error):
        return {"status": getattr(error, "status_code", None), "code": getattr(error, "code", None), "message": str(error)}
