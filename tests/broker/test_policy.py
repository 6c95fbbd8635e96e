"""Every rule of the policy: what it refuses, what it allows, and that no grant undoes a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.identity import Identity, Role
from bridge.broker.policy import CACHED_DECISIONS, EVERY_WORKSPACE, RULES, Permissions
from bridge.protocol import catalogue
from bridge.protocol.address import Address, Pattern
from bridge.protocol.catalogue import Kind
from tests.broker.bus import HOLD, SIGN_IN, grant

EVERYTHING = ("*",)


def permissions(workspace: str = "demo", *, secure: bool = True, app: str = "widget", **rights: Any) -> Permissions:
    rights.setdefault("app", app)
    return Permissions(Identity(app=app, secure=secure, grant=grant(**rights)), workspace)


def publish(asked: Permissions, address: str) -> tuple[bool, str]:
    allowed, rule, _ = asked.publish(Address.parse(address))
    return allowed, rule


def subscribe(asked: Permissions, pattern: str) -> tuple[bool, str]:
    allowed, rule, _ = asked.subscribe(Pattern.parse(pattern))
    return allowed, rule


def test_without_authentication_everything_is_allowed() -> None:
    anyone = Permissions(Identity(app="widget"), "demo")

    assert publish(anyone, HOLD) == (True, "loopback")
    assert publish(anyone, "Notes/a/b") == (True, "loopback")
    assert subscribe(anyone, "*") == (True, "loopback")


def test_a_token_that_grants_nothing_allows_nothing() -> None:
    nobody = permissions()

    assert publish(nobody, "Notes/a/b") == (False, "default")
    assert publish(nobody, HOLD) == (False, "default")
    assert subscribe(nobody, "Notes/a/b") == (False, "default")


def test_a_pattern_of_the_token_covers_what_it_contains_and_nothing_else() -> None:
    gadget = permissions(publish=["Notes/*/Added"], subscribe=["Notes", "Cisco/*/SetHOLD"])

    assert publish(gadget, "Notes/any/Added") == (True, "granted")
    assert publish(gadget, "Notes/any/Removed") == (False, "default")
    assert subscribe(gadget, "Notes/any") == (True, "granted")
    assert subscribe(gadget, "Cisco/InboundCall/SetHOLD") == (True, "granted")
    for wider in ("*", "Cisco", "Cisco/InboundCall", "*/any/Added"):
        assert subscribe(gadget, wider) == (False, "default"), wider


@pytest.mark.parametrize("trick", ["notes/any/Added", "NOTES/any/Added", "No-tes/any/Added", "Notes/any/added"])
def test_a_name_that_looks_like_a_granted_one_is_another(trick: str) -> None:
    assert publish(permissions(publish=["Notes/*/Added"]), trick) == (False, "default")


@pytest.mark.parametrize("role", list(Role))
def test_whatever_the_role_only_the_bridge_sends_events_and_replies(role: Role) -> None:
    anyone = permissions(roles=frozenset({role}), publish=EVERYTHING)

    for entry in catalogue.ENTRIES:
        if not entry.from_client and entry.address != Address("Bridge", "Command", "Status"):
            assert publish(anyone, str(entry.address)) == (False, "bridge-only"), entry.address
    assert publish(anyone, "Bridge/Session/Close") == (False, "bridge-only")
    assert publish(anyone, "Bridge/Subscription/Subscribe") == (True, "bridge-only")


def test_a_password_does_not_go_where_others_can_read_it() -> None:
    assert publish(permissions(secure=False, roles=frozenset({Role.WIDGET})), SIGN_IN) == (False, "sign-in-unencrypted")
    assert publish(Permissions(Identity(app="w", secure=False), "demo"), SIGN_IN) == (False, "sign-in-unencrypted")
    assert publish(permissions(secure=False, roles=frozenset({Role.WIDGET})), HOLD) == (True, "widget")
    assert publish(permissions(roles=frozenset({Role.WIDGET})), SIGN_IN) == (True, "widget")


def test_a_widget_does_everything_in_its_own_workspace_and_nothing_in_another() -> None:
    at_home = permissions(roles=frozenset({Role.WIDGET}))
    elsewhere = permissions("other", roles=frozenset({Role.WIDGET}), publish=EVERYTHING, subscribe=EVERYTHING)

    assert publish(at_home, HOLD) == (True, "widget")
    assert subscribe(at_home, "*") == (True, "widget")
    assert publish(elsewhere, HOLD) == (False, "command-own-workspace")
    assert publish(elsewhere, "Notes/a/b") == (False, "workspace")
    assert subscribe(elsewhere, "Notes") == (False, "workspace")


def test_a_gadget_has_its_own_channel_and_what_is_listed() -> None:
    gadget = permissions(app="notes", roles=frozenset({Role.GADGET}), subscribe=["Cisco/InboundCall"])

    assert publish(gadget, "notes/a/b") == (True, "gadget-own-channel")
    assert subscribe(gadget, "notes") == (True, "gadget-own-channel")
    assert subscribe(gadget, "Cisco/InboundCall/InboundCallStateChange") == (True, "granted")
    for other in ("Notes/a/b", "notes2/a/b", HOLD):
        assert publish(gadget, other) == (False, "default"), other
    assert subscribe(gadget, "*") == (False, "default")


@pytest.mark.parametrize("app", ["Cisco", "cisco", "Simulator", "C-isco"])
def test_a_gadget_that_is_named_like_a_channel_of_the_catalogue_has_no_channel(app: str) -> None:
    gadget = permissions(app=app, roles=frozenset({Role.GADGET}))

    assert publish(gadget, f"{app}/InboundCall/SetHOLD")[0] is False
    assert subscribe(gadget, app) == (False, "default")


def test_a_gadget_whose_token_names_no_app_has_no_channel() -> None:
    gadget = permissions(app=None, roles=frozenset({Role.GADGET}))  # type: ignore[arg-type]

    assert publish(gadget, "widget/a/b") == (False, "default")


def test_a_supervisor_reads_every_workspace_of_the_token_and_moves_no_calls() -> None:
    rights: dict[str, Any] = {"roles": frozenset({Role.SUPERVISOR, Role.WIDGET}), "publish": EVERYTHING}
    for workspace in ("5069", "5070"):
        supervisor = permissions(workspace, workspaces=("5069", "5070"), **rights)
        assert subscribe(supervisor, "*")[0] is True
        for entry in catalogue.ENTRIES:
            if entry.kind is Kind.COMMAND:
                assert publish(supervisor, str(entry.address)) == (False, "supervisor-no-commands"), entry.address
    assert subscribe(permissions("5071", workspaces=("5069", "5070"), **rights), "*") == (False, "workspace")


def test_a_server_publishes_everywhere_but_commands_and_reads_where_it_was_told() -> None:
    server = permissions("5070", roles=frozenset({Role.SERVER}), publish=EVERYTHING, subscribe=EVERYTHING)

    assert publish(server, "Queue/Status/Changed") == (True, "server")
    assert publish(server, HOLD) == (False, "command-own-workspace")
    assert subscribe(server, "Queue") == (False, "workspace")
    assert publish(permissions(roles=frozenset({Role.SERVER})), HOLD) == (False, "default")


def test_a_site_wide_notice_is_for_servers_and_free_channels() -> None:
    server = permissions(EVERY_WORKSPACE, roles=frozenset({Role.SERVER}), publish=EVERYTHING)
    widget = permissions(EVERY_WORKSPACE, roles=frozenset({Role.WIDGET}), publish=EVERYTHING)

    assert publish(server, "Notice/Site/Closing") == (True, "server")
    assert publish(server, HOLD) == (False, "notice-free-channel")
    assert publish(server, "cisco/a/b") == (False, "notice-free-channel")
    assert publish(widget, "Notice/Site/Closing") == (False, "workspace")


def test_everyone_may_learn_where_the_stream_of_the_own_workspace_stands() -> None:
    assert subscribe(permissions(), "Bridge/Session/Heartbeat") == (True, "position")
    assert subscribe(permissions(), "Bridge/Session") == (False, "default")
    assert subscribe(permissions("other"), "Bridge/Session/Heartbeat") == (False, "workspace")


def test_an_operator_has_nothing_on_the_bus() -> None:
    operator = permissions(roles=frozenset({Role.OPERATOR}))

    assert publish(operator, "Notes/a/b") == (False, "default")
    assert subscribe(operator, "*") == (False, "default")


def test_the_token_says_whose_messages_they_are() -> None:
    fixed, free = permissions(app="notes"), permissions(app=None, workspaces=("demo",))  # type: ignore[arg-type]
    host = permissions(app="desk", roles=frozenset({Role.HOST}), apps=frozenset({"notes", "weather"}))

    assert (fixed.source(None), fixed.source("softphone")) == ("notes", "notes")
    assert free.source("softphone") == "softphone"
    assert (host.source(None), host.source("weather"), host.source("softphone")) == ("desk", "weather", "desk")
    assert Permissions(Identity(app="w"), "demo").source("any") == "any"


def test_what_was_decided_is_remembered_within_bounds() -> None:
    gadget = permissions(publish=["Notes"])

    decisions = [publish(gadget, f"Notes/a/b{number}") for number in range(3 * CACHED_DECISIONS)]

    assert set(decisions) == {(True, "granted")}
    assert len(gadget._decisions) <= CACHED_DECISIONS


segments = st.sampled_from(["Cisco", "Notes", "InboundCall", "Agent", "SetHOLD", "SetUserInfo", "a", "*"])
patterns = st.lists(segments, min_size=1, max_size=3).map("/".join)
addresses = st.one_of(
    st.sampled_from([str(entry.address) for entry in catalogue.ENTRIES]),
    st.tuples(*[segments.filter(lambda s: s != "*")] * 3).map("/".join),
)
rights = st.fixed_dictionaries(
    {
        "roles": st.frozensets(st.sampled_from(list(Role))),
        "publish": st.lists(patterns, max_size=3),
        "subscribe": st.lists(patterns, max_size=3),
        "workspaces": st.lists(st.sampled_from(["demo", "5069"]), max_size=2).map(tuple),
        "app": st.sampled_from([None, "Notes", "Cisco", "a"]),
    }
)


@given(rights, addresses, st.sampled_from(["demo", "5069", EVERY_WORKSPACE]))
def test_commands_stay_at_home_whatever_is_granted(rights: dict[str, Any], address: str, workspace: str) -> None:
    allowed, rule, tried = permissions(workspace, **rights).publish(Address.parse(address))

    entry = catalogue.BY_ADDRESS.get(Address.parse(address))
    if allowed and entry is not None and entry.kind is Kind.COMMAND:
        assert workspace in rights["workspaces"]
        assert Role.SUPERVISOR not in rights["roles"]
    assert tried[-1] == rule
    names = [each.name for each in RULES if each.publish is not None]
    assert list(tried) == names[: len(tried)]


@given(rights, patterns, addresses)
def test_a_subscription_reads_nothing_that_a_narrower_one_could_not(
    rights: dict[str, Any], pattern: str, address: str
) -> None:
    asked = permissions(**rights)
    if subscribe(asked, pattern)[0] and Pattern.parse(pattern).matches(Address.parse(address)):
        assert subscribe(asked, address)[0] is True
