"""LangChain's client for OpenAI's API."""

from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from asks import function_tool


class Client:
    cannot = {}

    def __init__(self, base_url, api_key):
        self.shared = {"base_url": base_url, "api_key": api_key, "max_retries": 0}

    def model(self, ask):
        return ChatOpenAI(model=ask["model"], temperature=0, **self.shared)

    def chat(self, ask):
        return self.model(ask).invoke(ask["prompt"]).content

    def stream(self, ask):
        return [chunk.content for chunk in self.model(ask).stream(ask["prompt"]) if chunk.content]

    def tools(self, ask):
        calls = self.model(ask).bind_tools([function_tool(ask)]).invoke(ask["prompt"]).tool_calls
        return [{"name": call["name"], "arguments": call["args"]} for call in calls]

    def schema(self, ask):
        schema = {"title": ask["name"], "description": ask["name"], **ask["schema"]}
        structured = self.model(ask).with_structured_output(schema, method="json_schema", strict=True)
        return structured.invoke(ask["prompt"])

    def embeddings(self, ask):
        # Otherwise it sends tokens, after a download of OpenAI's vocabulary.
        model = OpenAIEmbeddings(model=ask["model"], check_embedding_ctx_length=False, **self.shared)
        return model.embed_documents(ask["input"])

    error = missing = chat
    broken = stream

    def told(self, error):
        return {"status": getattr(error, "status_code", None), "code": getattr(error, "code", None), "message": str(error)}
