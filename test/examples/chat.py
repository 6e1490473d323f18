"""Talks with you until you say no more (Ctrl-D), as programs did in 2023. With the openai package before 1.0:

    pip install openai==0.27.10
    OPENAI_API_BASE=http://127.0.0.1:8787/v1 OPENAI_API_KEY=any python chat.py
"""

import os

import openai

openai.api_key = os.environ["OPENAI_API_KEY"]
openai.api_base = os.environ["OPENAI_API_BASE"]

system = {"role": "system", "content": "You are a helpful assistant."}

while True:
    try:
        prompt = input("You: ")
    except EOFError:
        print()
        break
    response = openai.ChatCompletion.create(
        model="gpt-3.5-turbo",
        messages=[system, {"role": "user", "content": prompt}],
    )
    print("ChatGPT: " + response["choices"][0]["message"]["content"])
