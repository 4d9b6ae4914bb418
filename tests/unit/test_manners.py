"""What is a manner and what is a question: no business word is ever swallowed."""

from __future__ import annotations

import pytest

from copilot.semantic.model import load_model
from copilot.understanding.kinds import load_kinds
from copilot.understanding.manners import Manner, load_phrases, manner_of, manners_file, without_courtesy

LONG = "this is not right, i counted them this morning"
SAID = {
    Manner.GREETING: ["hi", "Good evening!", "Guten Morgen", "hey, how are you?", "good mornign"],
    Manner.THANKS: ["thanks", "thank you very much, that is all for today.", "thnaks", "thanks for your help"],
    Manner.GOODBYE: ["bye", "see you tomorrow"],
    Manner.HELP: ["help", "what can you do?", "how does this work", "Can you help me?", "?", "give me a few examples"],
    Manner.WHO: ["who are you?"],
    Manner.STOP: ["stop", "never mind", "ok enough, forget it", "cancel"],
    Manner.RESET: ["start over", "new topic"],
    Manner.WRONG: ["that's wrong", "thats not right", "no, that can't be true", "wrong number", "that's wrnog", LONG],
    Manner.WHY: ["why?", "explain"],
    Manner.METHOD: ["how did you get that", "show your work", "how is that calculated"],
    Manner.ORIGIN: ["how do you know", "where did you get that?", "says who?", "are you sure?"],
    Manner.UNDERSTOOD: ["what did you understand"],
    Manner.MEANS: ["what do you count as late"],
    Manner.AGE: ["how old is this", "is this current?", "when was that last updated"],
}  # fmt: skip
QUESTIONS = [
    "where is SO-1", "where is it", "stop order SO-12", "cancel SO-1", "wrong shipments", "why is it late", "right now",
    "how old is the stock", "current stock", "what is open", "help desk cases", "how many", "how much", "how is it",
    "returns with reason wrong item", "explain on time rate", "no, I meant the other one", "late orders",
    "the first one", "yes", "only open ones", "and Dallas?", "is it ready", "is it lost", "is it stuck", "is it done",
    "recent orders", "last updated orders", "who are our suppliers", "what about thanksgiving orders", "good customers",
    "source of supply", "proof of delivery", "stale stock", "hello kitty order status", "test valves in stock",
    "that's wrong, i meant Acme", "that's wrong, show me SO-12", "details of SO-1", "cancelled", "reports",
    "how is Acme doing", "when was it confirmed by Acme",
]  # fmt: skip


@pytest.mark.parametrize(("manner", "text"), [(manner, text) for manner, those in SAID.items() for text in those])
def test_a_manner_is_recognised(manner: Manner, text: str) -> None:
    assert manner_of(text) is manner


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_no_manner(text: str) -> None:
    assert manner_of(text) is None


def test_hardly_a_cue_of_a_question_kind_is_a_manner() -> None:
    """A word that asks for a kind does so in a conversation by itself; "why?" alone is about the last answer. Words
    that only go with those ask for nothing alone."""
    bare = {cue for kind in load_kinds().values() for cue in kind.cues}
    found = {manner for cue in bare if (manner := manner_of(cue)) and cue != "what's up with"}
    assert found <= {Manner.WHY, Manner.ORIGIN}
    assert manner_of("is there enough") is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hello, hope you had a nice week. Is INV-1 paid?", "Is INV-1 paid?"),
        ("hey, quick one: when is PO-1 promised? thx!", "when is PO-1 promised?"),
        ("thanks - and SO-2?", "and SO-2?"),
        ("hi, where is SO-1?", "where is SO-1?"),
        ("ok, only late ones", "ok, only late ones"),
        ("Hi-Tech, open orders", "Hi-Tech, open orders"),
        ("Acme, Inc. orders", "Acme, Inc. orders"),
        ("stock in Dallas, Reno", "stock in Dallas, Reno"),
    ],
)
def test_courtesy_goes_and_the_question_stays(text: str, question: str) -> None:
    assert without_courtesy(text) == question


def test_the_file_names_what_there_is() -> None:
    body, kinds, model = manners_file(), load_kinds(), load_model()
    assert set(body["manners"]) == {*Manner, "wrong_around"}
    for topic in body["topics"]:
        assert set(topic["kinds"]) <= set(kinds), topic
        assert all(model[entity] for entity in topic.get("reads", ()))
    for example in body["examples"]:
        assert example["kind"] in kinds
        assert "drawn" in example["steps"]
    assert all(phrase for phrases in load_phrases().by_first.values() for phrase, _ in phrases)
