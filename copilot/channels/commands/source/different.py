"""`erp-copilot source different`: a person says that two records are not the same thing."""

from __future__ import annotations

import argparse

from copilot.channels.commands.source.action import Action
from copilot.channels.commands.source.same import arguments, decide
from copilot.wiring import Runtime


async def _different(runtime: Runtime, options: argparse.Namespace) -> int:
    return await decide(runtime, options, "different")


DIFFERENT = Action(name="different", help="decide that two records are two things", arguments=arguments, run=_different)
