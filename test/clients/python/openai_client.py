"""OpenAI's client from version 1 on."""

import json

import openai

from asks import called_in, calls_in, function_tool, json_schema, user


class Client:
    cannot = {}

    def __init__(self, base_url, api_key):
        self.client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0)

    def create(self, ask, **fields):
        return self.client.chat.completions.create(
            model=ask["model"], messages=user(ask["prompt"]), temperature=0, **fields
        )

    def message(self, ask, **fields):
        return self.create(ask, **fields).choices[0].message

    def chat(self, ask):
        return self.message(ask).content

    def stream(self, ask):
        chunks = self.create(ask, stream=True)
        return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]

    def tools(self, ask):
        calls = self.message(ask, tools=[function_tool(ask)]).tool_calls
        return calls_in([call.model_dump() for call in calls])

    def functions(self, ask):
        called = self.message(ask, functions=[function_tool(ask)["function"]]).function_call
        return called_in(called.model_dump())

    def schema(self, ask):
        return json.loads(self.message(ask, response_format=json_schema(ask)).content)

    def embeddings(self, ask):
        answer = self.client.embeddings.create(model=ask["model"], input=ask["input"])
        return [item.embedding for item in answer.data]

    error = missing = chat
    broken = stream

    def told(self, error):
        return {"status": getattr(error, "status_code", None), "code": getattr(error, "code", None), "message": str(error)}
