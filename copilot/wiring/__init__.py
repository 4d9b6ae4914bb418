"""The composition root: puts the parts together, once, from the settings.

The whole runtime is imported when it is first asked for: a command that changes the policy needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copilot.wiring.runtime import Runtime, assemble, open_runtime

__all__ = ["Runtime", "assemble", "open_runtime"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from copilot.wiring import runtime

    return getattr(runtime, name)
