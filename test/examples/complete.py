"""Completes a piece of code, as programs did in 2023. With the openai package before 1.0:

    pip install openai==0.27.10
    OPENAI_API_BASE=http://127.0.0.1:8787/v1 OPENAI_API_KEY=any python complete.py "# say hello"
"""

import os
import sys

import openai

openai.api_key = os.environ["OPENAI_API_KEY"]
openai.api_base = os.environ["OPENAI_API_BASE"]


def complete(prompt):
    response = openai.Completion.create(
        engine="davinci-codex",
        prompt=prompt,
        max_tokens=50,
        n=1,
        stop=None,
        temperature=0.7,
        timeout=None,
    )
    return response.choices[0].text


if __name__ == "__main__":
    print(complete(sys.argv[1] if len(sys.argv) > 1 else "# say hello\n"))
