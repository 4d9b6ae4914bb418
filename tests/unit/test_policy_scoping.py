"""The scope that a layered policy compiles to shows a row exactly where the policy at the row's own spot lets it be
read. The policy is asked at the spot of each row by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.domain.places import Places
from copilot.domain.principal import Grant
from copilot.domain.scope import SPREAD, UNLABELLED
from copilot.policy.effective import effective
from copilot.policy.policy import Policy
from copilot.policy.reading import read_texts

_AT = datetime(2026, 11, 20, tzinfo=UTC)
_PLACES = Places(
    regions={"US": 1, "DE": 2, "SG": 3}, sites={"DAL": 11, "HAM": 12, "TUA": 13}, channels={"WEB": 21, "EDI": 22},
    region_of={11: 1, 12: 2, 13: 3},
)  # fmt: skip
_CLASSES = ("item", "sales", "stock")
_TOP = """
policy: 1
version: e
layer: enterprise
access:
  rep: {role: rep, classes: [item, sales]}
  own: {role: own, classes: [item, sales, stock]}
  outside: {role: outside, classes: [item, sales, stock]}
accounts:
  any: {roles: [rep, outside], accounts: any}
  own_only: {roles: [own], accounts: own}
masking:
  plain: {classes: ["*"], audiences: [staff, customers], shown: shown}
residency:
  anywhere: {classes: ["*"], places: ["*"]}
settings:
  customers: {setting: roles_of_customers, value: [outside]}
may_loosen: [rep, own_only]
"""
_KINDS = {
    "access": ["local: {role: rep, without: [sales]}", "local: {role: rep, also: [stock]}",
               "local: {role: own, without: [item]}"],
    "accounts": ["who: {roles: [rep], accounts: own}", "who: {roles: [own], accounts: any}"],
    "masking": ["hide: {classes: [sales], audiences: [customers], shown: hidden}",
                "hide: {classes: [item], audiences: [staff], shown: token}"],
    "residency": ["keep: {classes: [stock], places: [SG]}", "keep: {classes: [sales], places: [DE, US]}"],
    "fresh_for": ["soon: {classes: [stock], hours: 1}"],
}  # fmt: skip


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, str]:
    texts = {"enterprise.yaml": _TOP}
    spots = [("region", code) for code in _PLACES.regions] + [("site", code) for code in _PLACES.sites]
    spots += [("channel", code) for code in _PLACES.channels]
    for layer, code in draw(st.lists(st.sampled_from(spots), max_size=4, unique=True)):
        sections = draw(st.lists(st.sampled_from(sorted(_KINDS)), min_size=1, max_size=2, unique=True))
        body = "".join(f"{name}:\n  {draw(st.sampled_from(_KINDS[name]))}\n" for name in sections)
        texts[f"{code}.yaml"] = f"policy: 1\nversion: {code}\nlayer: {layer}\n{layer}: {code}\n{body}"
    return texts


_SOME = st.none() | st.frozensets(st.sampled_from([1, 2, 3]), min_size=1)
_GRANTS = st.builds(
    Grant, role=st.sampled_from(["rep", "own", "outside", "nobody"]), regions=_SOME, sites=st.none(),
    channels=st.none(), accounts=st.none() | st.just(frozenset({31})),
)  # fmt: skip


def _read_at(policy: Policy, grant: Grant, name: str, labels: tuple[int, ...], here: str) -> bool:
    """Whether the policy at the row's own spot lets a role read it, as its sections say one by one."""
    codes = [{ident: code for code, ident in _PLACES.of(layer).items()} for layer in ("region", "site", "channel")]
    region, site, channel = (known.get(label) for known, label in zip(codes, labels, strict=True))
    said = effective(policy.documents, region, site, channel, at=_AT)
    audience = "customers" if grant.role == "outside" else "staff"
    places = said.residency(name).value
    return (
        said.may_read(grant.role, name).value
        and (grant.accounts is not None or said.accounts(grant.role).value == "any")
        and said.masking(name, audience).value == "shown"
        and ("*" in places or here in places)
    )


@given(_documents(), _GRANTS, st.sampled_from(["", "SG", "DE"]))
@settings(max_examples=60)
def test_a_row_is_in_the_scope_where_its_own_spot_lets_it_be_read(
    texts: dict[str, str], grant: Grant, here: str
) -> None:
    policy = Policy(read_texts(texts), at=_AT, places=_PLACES, classes=frozenset(_CLASSES), here=here)
    scope = policy.scope_of(grant)
    ids = [(UNLABELLED, *sorted(_PLACES.of(layer).values())) for layer in ("region", "site", "channel")]
    for name, labels in product(_CLASSES, product(*ids)):
        granted = grant.regions is None or labels[0] in grant.regions
        if granted or labels[0] == UNLABELLED:
            seen = scope.sees(name, (*labels, 31))
            expected = _read_at(policy, grant, name, labels, here)
            if labels[0] == UNLABELLED and grant.regions is not None:
                assert expected or not seen  # of no region, it is read along with those of one's own, if with any
            else:
                assert seen == expected, (name, labels)
        else:
            assert not scope.sees(name, (*labels, 31))


@given(_documents(), _GRANTS)
@settings(max_examples=60)
def test_a_figure_over_many_places_is_seen_only_where_all_of_them_are(texts: dict[str, str], grant: Grant) -> None:
    policy = Policy(read_texts(texts), at=_AT, places=_PLACES, classes=frozenset(_CLASSES))
    scope = policy.scope_of(grant)
    for name in _CLASSES:
        if scope.sees(name, (SPREAD, UNLABELLED, UNLABELLED, 31)):
            every = [(region, UNLABELLED, UNLABELLED) for region in _PLACES.regions.values()]
            assert all(_read_at(policy, grant, name, labels, "") for labels in every)


def test_what_no_document_speaks_of_costs_no_product() -> None:
    policy = Policy(read_texts({"enterprise.yaml": _TOP}), at=_AT, places=_PLACES, classes=frozenset(_CLASSES))
    grant = Grant(role="rep", regions=None, sites=None, channels=None, accounts=None)
    (reach,) = policy.scope_of(grant).reaches
    assert (reach.classes, reach.regions, reach.sites, reach.channels) == ({"item", "sales"}, None, None, None)


@pytest.mark.parametrize(
    ("labels", "hours"), [((1, 11, 0, 0), 24), ((3, 0, 0, 0), 6), ((3, 13, 0, 0), 2), ((0, 13, 21, 0), 2)]
)
def test_freshness_is_that_of_the_records_own_place(labels: tuple[int, ...], hours: int) -> None:
    top = _TOP + "fresh_for:\n  usual: {classes: [stock], hours: 24}\n"
    said = "policy: 1\nversion: x\nlayer: {0}\n{0}: {1}\nfresh_for:\n  soon: {{classes: [stock], hours: {2}}}\n"
    documents = read_texts({
        "e.yaml": top, "sg.yaml": said.format("region", "SG", 6), "tua.yaml": said.format("site", "TUA", 2),
    })  # fmt: skip
    policy = Policy(documents, at=_AT, places=_PLACES)
    assert policy.fresh_limit("stock", labels).total_seconds() == hours * 3600
    assert policy.at_site(13).fresh_limit("stock").total_seconds() == 2 * 3600
