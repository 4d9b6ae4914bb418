"""Vanna 2 and LlamaIndex's NLSQLTableQueryEngine behind a line protocol: runs in the peers' environment, alone.

A line of JSON comes in, {"peer": NAME, "question": TEXT}, and one goes out: {"seconds": S, "text": SHOWN}. The first
line says where the model and the database are. Nothing but this machine may be reached from here.
"""

import asyncio
import json
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any
from uuid import uuid4

_KEY = "none"
_HERE = ("127.0.0.1", "::1", "localhost")
Answering = Callable[[str], Awaitable[str]]


def vanna(settings: Mapping[str, Any]) -> Answering:
    """Vanna's agent with its tool for SQL, its runner for PostgreSQL and its memory, each with its defaults.

    Two settings are in its favour: the answer of the model is not streamed, and the tools that remember questions are
    left out, for which its prompt would have the model asked twice more.
    """
    core, tools = import_module("vanna"), import_module("vanna.tools")
    user, registry = import_module("vanna.core.user"), import_module("vanna.core.registry")
    model = import_module("vanna.integrations.openai").OpenAILlmService
    runner = import_module("vanna.integrations.postgres").PostgresRunner
    local = import_module("vanna.integrations.local")
    memory = import_module("vanna.integrations.local.agent_memory").DemoAgentMemory

    class Anybody(user.UserResolver):
        async def resolve_user(self, request_context: Any) -> Any:  # noqa: ARG002 -- everybody is the same here
            return user.User(id="rep", email="rep@example.com", group_memberships=["user"])

    known = registry.ToolRegistry()
    files = local.LocalFileSystem(settings["folder"])
    known.register_local_tool(tools.RunSqlTool(runner(connection_string=settings["dsn"]), files), ["user"])
    agent = core.Agent(
        llm_service=model(model="m", api_key=_KEY, base_url=settings["model"]), tool_registry=known,
        user_resolver=Anybody(), agent_memory=memory(), config=core.AgentConfig(stream_responses=False),
    )  # fmt: skip
    context = user.RequestContext

    async def answer(question: str) -> str:
        said = agent.send_message(context(), question, conversation_id=str(uuid4()))
        shown = [each.rich_component async for each in said]
        return "\n".join(each.content for each in shown if each.type == "text")

    return answer


def llama_index(settings: Mapping[str, Any]) -> Answering:
    """The engine with the tables given, its own prompts and its synthesis of the answer, on a pool of connections."""
    model = import_module("llama_index.llms.openai_like").OpenAILike(
        model="m", api_base=settings["model"], api_key=_KEY, is_chat_model=True, context_window=128_000
    )
    core = import_module("llama_index.core")
    engine = import_module("sqlalchemy").create_engine(settings["url"])
    database = core.SQLDatabase(engine, schema="biz", include_tables=settings["tables"])
    queries = import_module("llama_index.core.query_engine").NLSQLTableQueryEngine(
        sql_database=database, tables=settings["tables"], llm=model, embed_model=core.MockEmbedding(embed_dim=1)
    )

    async def answer(question: str) -> str:
        return str(queries.query(question))

    return answer


def only_this_machine() -> None:
    """Refuse every connection to elsewhere: a library that wanted to fetch something would show it."""
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in _HERE:
            raise OSError(f"{address!r} is not this machine")
        plain(self, address)

    setattr(socket.socket, "connect", connect)  # noqa: B010 -- said so that a checker need not believe it


async def main() -> None:
    """Answer line by line until the input ends."""
    only_this_machine()
    logging.disable(logging.CRITICAL)
    settings = json.loads(sys.stdin.readline())
    peers = {"vanna": vanna(settings), "llama_index": llama_index(settings)}
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.perf_counter()
        text = await peers[asked["peer"]](asked["question"])
        print(json.dumps({"seconds": time.perf_counter() - began, "text": text}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
