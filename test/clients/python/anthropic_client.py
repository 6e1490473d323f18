"""Anthropic's own client."""

import json

import anthropic

from asks import user


class Client:
    cannot = {"embeddings": "has no embeddings"}

    def __init__(self, base_url, api_key):
        self.client = anthropic.Anthropic(base_url=base_url.removesuffix("/v1"), api_key=api_key, max_retries=0)
        self.messages = self.client.messages

    def body(self, ask, **fields):
        return {
            "model": ask["model"],
            "messages": user(ask["prompt"]),
            "max_tokens": 512,
            # Not one of its parameters any more.
            "extra_body": {"temperature": 0},
            **fields,
        }

    def chat(self, ask):
        return text_of(self.messages.create(**self.body(ask)))

    def stream(self, ask):
        with self.messages.stream(**self.body(ask)) as stream:
            texts = list(stream.text_stream)
            whole = stream.get_final_text()
        return texts if whole == "".join(texts) else [*texts, f", and then: {whole}"]

    def tool(self, ask):
        return {"name": ask["name"], "description": ask["description"], "input_schema": ask["parameters"]}

    def tools(self, ask):
        content = self.messages.create(**self.body(ask, tools=[self.tool(ask)])).content
        return [{"name": block.name, "arguments": block.input} for block in content if block.type == "tool_use"]

    def loop(self, ask):
        fields = self.body(ask, tools=[self.tool(ask)])
        content = self.messages.create(**fields).content
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": ask["result"]}
            for block in content
            if block.type == "tool_use"
        ]
        turns = [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
        return text_of(self.messages.create(**{**fields, "messages": fields["messages"] + turns}))

    def schema(self, ask):
        output = {"format": {"type": "json_schema", "schema": ask["schema"]}}
        return json.loads(text_of(self.messages.create(**self.body(ask, output_config=output))))

    def count(self, ask):
        return self.messages.count_tokens(model=ask["model"], messages=user(ask["prompt"])).input_tokens

    def models(self, ask):
        return [model.id for model in self.client.models.list()]

    error = missing = chat
    broken = stream

    def told(self, error):
        body = getattr(error, "body", None) or {}
        code = body.get("error", {}).get("type") if isinstance(body, dict) else None
        return {"status": getattr(error, "status_code", None), "code": code, "message": str(error)}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")
