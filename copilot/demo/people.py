"""The people who may sign in to the demo company, one for each kind of job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """A demo sign-in. Labels are codes of the demo company; None means every one of that kind."""

    subject: str
    name: str
    role: str
    home_region: str
    regions: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None


PEOPLE = (
    DemoUser(subject="rep.us", name="Dana Whitlock", role="customer_service", home_region="US", regions=("US",)),
    DemoUser(subject="rep.de", name="Jörg Lindenmüller", role="customer_service", home_region="DE", regions=("DE",)),
    DemoUser(subject="planner", name="Amara Osei-Falk", role="planner", home_region="US"),
    DemoUser(subject="buyer", name="Tomás Rivadeneira", role="buyer", home_region="DE"),
    DemoUser(
        subject="warehouse.sg",
        name="Lim Wei Shan",
        role="warehouse",
        home_region="SG",
        regions=("SG",),
        sites=("TUA",),
    ),
    DemoUser(subject="finance", name="Ingrid Sørby-Klein", role="finance", home_region="DE"),
    DemoUser(subject="auditor", name="Priya Ramanathan", role="auditor", home_region="SG"),
    DemoUser(subject="admin", name="Noor van der Velden", role="administrator", home_region="US"),
    DemoUser(subject="officer", name="Maren Aaltonen", role="governance_officer", home_region="DE"),
)
"""The eight people of the demo company."""
