"""The scripted model of all three, a program of its own with the API of OpenAI's: `python -m evals.bench.peers.model`.

Whoever wants SQL is given the right one; whoever shows rows is told them in words, truly or by a lie; and our own tools
are called as a model would that means the same. It prints its address, is told at `/script` what is asked next, for our
questions reach it masked, and tells at `/spent` how many requests came and how long it took over them since it was
last asked.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from evals.bench.peers.lies import TRUE, Rows, told
from evals.bench.peers.speaking import DRAFT, PLAN, called, message_of

_SHOWN = "SQL Response: "
"""How LlamaIndex shows rows to a model."""


@dataclass(slots=True)
class Script:
    """What is to be said: the questions, which one is asked, and the truth or which lie; and what was spent."""

    questions: Sequence[Mapping[str, Any]] = ()
    asked: str = ""
    way: str = TRUE
    spent: float = 0.0
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The message of the model."""
        messages: Sequence[Mapping[str, Any]] = body["messages"]
        tools = [each["function"]["name"] for each in body.get("tools") or ()]
        ours = [name for name in tools if name in (PLAN, DRAFT)]
        asked = next((each for each in self.questions if each["text"] == self.asked), None)
        if asked is None:  # without a script: in order, nothing else
            return message_of(TRUE, {"said": ()}, messages, ours[0], "")
        columns, other = asked["columns"], self._other(asked)
        if ours:
            return message_of(self.way, asked, messages, ours[0], told(self.way, columns, asked["rows"], other))
        if (rows := _shown(messages[-1])) is not None:
            return {"content": told(self.way, columns, rows, other)}
        if "run_sql" in tools:
            return {"content": None, "tool_calls": [called("run_sql", {"sql": asked["sql"]})]}
        return {"content": asked["sql"]}

    def _other(self, asked: Mapping[str, Any]) -> Rows:
        """Rows of another question, of the same columns where there is one."""
        others = [each for each in self.questions if each["text"] != asked["text"] and each["rows"] != asked["rows"]]
        alike = [each for each in others if each["columns"] == asked["columns"]]
        of_a_size = [each for each in others if len(each["columns"]) == len(asked["columns"])]
        return (alike or of_a_size)[0]["rows"]


def _shown(last: Mapping[str, Any]) -> Rows | None:
    """The rows that a model is shown: as CSV after a call of a tool, or as a list of tuples; None where none are."""
    text = str(last["content"])
    if last["role"] == "tool":
        table = text.split("\n\nResults saved", maxsplit=1)[0]
        return [*csv.reader(io.StringIO(table))][1:]
    if _SHOWN in text:
        shown = text.rsplit(_SHOWN, maxsplit=1)[1].rsplit("\nResponse:", maxsplit=1)[0]
        return ast.literal_eval(shown.strip())
    return None


class _Handler(BaseHTTPRequestHandler):
    """Answers in one piece: a second packet would wait for the first to be acknowledged."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    script: ClassVar[Script]

    def do_POST(self) -> None:
        """A request of a model, or a new script."""
        began = time.perf_counter()
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/script"):
            self.script.questions = body.get("questions", self.script.questions)
            self.script.way, self.script.asked = body["way"], body["asked"]
            return self._send({})
        choice = {"index": 0, "message": {"role": "assistant", **self.script.reply(body)}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        told_of = {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        with self.script.lock:  # before it is sent: whoever has the answer may ask at once what was spent
            self.script.spent += time.perf_counter() - began
            self.script.requests += 1
        return self._send(told_of)

    def do_GET(self) -> None:
        """What was spent since it was last asked."""
        with self.script.lock:
            told_of = {"seconds": self.script.spent, "requests": self.script.requests}
            self.script.spent, self.script.requests = 0.0, 0
        self._send(told_of)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is the base class's
        """Quiet."""

    def _send(self, told_of: Mapping[str, Any]) -> None:
        content = json.dumps(told_of).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def main() -> None:
    """Serve until stopped."""
    _Handler.script = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
