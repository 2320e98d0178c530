"""What is tested: asks a model for the weather, runs the tool that it calls, and returns its answer."""

import json
import os
import urllib.request


def ask(body):
    url = f"{os.environ['OPENAI_BASE_URL']}/responses"
    headers = {"content-type": "application/json", "authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def weather(place, look):
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    response = ask({"model": "gpt-5.4", "input": f"The weather in {place}?", "tools": tools})
    while calls := [item for item in response["output"] if item["type"] == "function_call"]:
        outputs = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": look(**json.loads(call["arguments"]))}
            for call in calls
        ]
        response = ask(
            {"model": "gpt-5.4", "input": outputs, "previous_response_id": response["id"], "tools": tools}
        )
    return "".join(part["text"] for item in response["output"] for part in item.get("content", []))
