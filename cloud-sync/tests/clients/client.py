"""OpenAI's own Python client against /v1 of a robot or a cloud: client.py BASE_URL TOKEN. It fails with what was not so.

The models behind it are stand-ins that the test which starts this has given a script.
"""

import json
import sys

import openai

base, token = sys.argv[1:]
client = openai.OpenAI(base_url=f"{base}/v1", api_key=token, max_retries=0, timeout=30)
QUOKKA = "Quokkas live on islands. They sleep by day. They smile, some say."
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def asked(content, **more):
    return client.chat.completions.create(
        model="robbie", messages=[{"role": "user", "content": content}], **more
    )


def is_so(what, found, wanted):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


def whole():
    answer = asked("Tell me about quokkas.")
    is_so("text", answer.choices[0].message.content, QUOKKA)
    is_so("reason", answer.choices[0].finish_reason, "stop")
    is_so("tokens", answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)
    assert answer.usage.completion_tokens > 0, "the tokens are counted"


def streamed():
    text, usage = "", None
    for chunk in asked("Tell me about quokkas.", stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
    is_so("text", text, QUOKKA)
    assert usage.completion_tokens > 0, "the tokens are counted"


def calls_tools():
    question = {"role": "user", "content": "How is the weather in Oslo?"}
    answer = client.chat.completions.create(model="robbie", messages=[question], tools=[WEATHER])
    message = answer.choices[0].message
    is_so("reason", answer.choices[0].finish_reason, "tool_calls")
    [call] = message.tool_calls
    is_so("call", (call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Oslo"}))
    result = {"role": "tool", "tool_call_id": call.id, "content": "snow, -3 degrees"}
    answer = client.chat.completions.create(
        model="robbie", messages=[question, message, result], tools=[WEATHER]
    )
    assert "-3 degrees" in answer.choices[0].message.content, answer.choices[0].message.content


def streams_tools():
    calls = {}
    for chunk in asked("How is the weather in Oslo?", stream=True, tools=[WEATHER]):
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"name": "", "arguments": ""})
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    is_so("calls", [calls[0]["name"], json.loads(calls[0]["arguments"])], ["get_weather", {"city": "Oslo"}])


def lists_models():
    names = [model.id for model in client.models.list()]
    assert "robbie" in names, names
    is_so("model", client.models.retrieve("robbie").id, "robbie")


def embeds():
    vectors = client.embeddings.create(model="robbie", input=["a red ball", "a red ball", "the tax office"])
    is_so("sizes", [len(item.embedding) for item in vectors.data], [384, 384, 384])
    is_so("the same text", vectors.data[0].embedding, vectors.data[1].embedding)
    plain = client.embeddings.create(model="robbie", input="a red ball", encoding_format="float")
    assert max(abs(a - b) for a, b in zip(plain.data[0].embedding, vectors.data[0].embedding)) < 1e-6


def is_refused():
    for wrong, error in [
        (lambda: client.with_options(api_key="wrong").models.list(), openai.AuthenticationError),
        (lambda: client.chat.completions.create(model="gpt-4", messages=[]), openai.NotFoundError),
        (lambda: asked("hello", temperature=9), openai.UnprocessableEntityError),
        (lambda: asked("x" * 1_000_000), openai.APIStatusError),
    ]:
        try:
            wrong()
        except error as refused:
            assert refused.body["message"], "it says why"
        else:
            raise AssertionError(f"this was not refused with {error}")


def leaves():
    stream = asked("Count for ever.", stream=True)
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            stream.close()
            break


for rule in [whole, streamed, calls_tools, streams_tools, lists_models, embeds, is_refused, leaves]:
    rule()
print("ok")
