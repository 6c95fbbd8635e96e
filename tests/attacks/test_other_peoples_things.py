"""One agent's session reaches nothing of another's, and learns not even that it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.attacks.site import running
from tests.server.auth.tokens import SECRET, Key, claims, token, unsigned
from tests.server.wire import subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.site import Honest, Site
    from tests.server.wire import Wire

VICTIM = "5070"


def command(subtopic: str, **data: Any) -> dict[str, Any]:
    return {"channel": "Cisco", "topic": "InboundCall", "subtopic": subtopic, "data": data, "id": f"try-{subtopic}"}


async def told(wire: Wire, message: dict[str, Any]) -> dict[str, Any]:
    """Send a message and give the answer to it."""
    wire.send(message)
    while (reply := await wire.message()).get("correlationId") != message["id"]:
        pass
    body: dict[str, Any] = reply
    return body


async def victims_call(site: Site) -> str:
    """Let a customer call the victim, who answers; give the call."""
    desk = await site.session(workspace=VICTIM)
    offer = {"channel": "Simulator", "topic": "Call", "subtopic": "Offer", "data": {"fromAddress": "+15550100"}}
    desk.send({**offer, "id": "victims-offer"})
    while (reply := await desk.message())["subtopic"] != "Completed":
        pass
    call: str = reply["data"]["call"]
    desk.send(command("SetANSWER", MediaAddress=VICTIM, CallID=call))
    while (await desk.message())["subtopic"] != "Completed":
        pass
    return call


FORGED: dict[str, Callable[[], str]] = {
    "none at all": lambda: "x",
    "expired": lambda: token(exp=1),
    "alg none": lambda: unsigned({"alg": "none"}, claims()),
    "alg none with a signature": lambda: unsigned({"alg": "none"}, claims(), b"x"),
    "wrong key": lambda: jwt.encode(claims(), SECRET + "!", algorithm="HS256"),
    "another algorithm": lambda: Key("k").token(),
    "changed claims": lambda: ".".join(
        [token().split(".")[0], unsigned({}, claims(workspace=VICTIM)).split(".")[1], token().split(".")[2]]
    ),
    "no end": lambda: token(exp=None),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_opens_nothing(name: str, site: Site, honest: Honest) -> None:
    code, reason = await (await site.enter(FORGED[name]())).closed()

    assert code in {4401, 4402}
    assert reason
    assert site.bridge.broker.sessions == 2
    await honest.talk()


async def test_a_token_for_another_audience_opens_nothing() -> None:
    async with running(jwt_audience="bridge", jwt_issuer="https://issuer.example") as site:
        for wrong in ({"aud": "other", "iss": "https://issuer.example"}, {"aud": "bridge"}, {}):
            assert (await (await site.enter(token(**wrong))).closed())[0] == 4401
        right = await site.enter(token(aud="bridge", iss="https://issuer.example"))
        assert (await right.message())["subtopic"] == "Opened"


async def test_a_token_opens_no_other_workspace(site: Site, honest: Honest) -> None:
    for workspace in (VICTIM, "nobody-is-here"):
        wire = await site.enter(token(workspace="5071"), f"?workspace={workspace}")
        assert await wire.closed() == (4403, "the token is not for this workspace")
    await honest.talk()


async def test_a_refresh_does_not_become_somebody_else(site: Site, honest: Honest) -> None:
    refresh = {"channel": "Bridge", "topic": "Session", "subtopic": "Refresh", "id": "r"}
    for other in ({"workspace": VICTIM}, {"sub": "mallory"}, {"app": "desk"}, {"extension": VICTIM}):
        wire = await site.session(workspace="5071")
        wire.send({**refresh, "data": {"token": token(**{"workspace": "5071", **other})}})
        assert (await wire.closed())[0] == 4403
    await honest.talk()


async def test_calls_of_another_agent_look_like_calls_that_never_were(site: Site, honest: Honest) -> None:
    call = await victims_call(site)
    stranger = await site.session(workspace="5071")

    for subtopic in ("SetHOLD", "SetDROP", "SetTRANSFER", "SetCONFERENCE", "SetANSWER"):
        answers = [
            (await told(stranger, {**command(subtopic, MediaAddress="5071", CallID=each), "id": f"{subtopic}-{each}"}))
            for each in (call, "16700000")
        ]
        bodies = [reply["data"] for reply in answers]
        assert bodies[0] == bodies[1]
        assert (bodies[0]["code"], bodies[0]["calls"]) == ("unknown_call", [])
    await honest.talk()
    assert site.bridge.calls.outstanding == 0


async def test_the_extension_of_another_agent_is_not_ones_own(site: Site, honest: Honest) -> None:
    call = await victims_call(site)
    stranger = await site.session(workspace="5071")

    foreign = await told(stranger, command("SetHOLD", MediaAddress=VICTIM, CallID=call))
    assert foreign["data"]["code"] == "wrong_extension"
    bound = await site.session(workspace=VICTIM, extension="5071")
    for attempt in (
        command("SetHOLD", MediaAddress=VICTIM, CallID=call),
        {**command("SetMakeCall", toAddress="5072"), "id": "make"},
    ):
        assert (await told(bound, attempt))["data"]["code"] == "wrong_extension"
    await honest.talk()


async def test_ids_of_another_workspace_are_unknown_and_free(site: Site, honest: Honest) -> None:
    await victims_call(site)
    stranger = await site.session(workspace="5071")
    status = {"channel": "Bridge", "topic": "Command", "subtopic": "Status"}

    replies = [
        (await told(stranger, {**status, "id": f"s-{asked}", "data": {"id": asked}}))["data"]
        for asked in ("victims-offer", "never-was")
    ]
    assert replies == [{"known": False}, {"known": False}]
    note = {"channel": "Notes", "topic": "a", "subtopic": "b", "data": 1}
    taken = [(await told(stranger, {**note, "id": name}))["data"] for name in ("victims-offer", "never-was")]
    assert [reply["duplicate"] for reply in taken] == [False, False]
    await honest.talk()


async def test_the_stream_of_another_workspace_is_not_recovered(site: Site, honest: Honest) -> None:
    victim = await site.session(workspace=VICTIM)
    epoch = (await victim.subscribe("*"))["epoch"]
    stranger = await site.session(workspace="5071")

    reply = await stranger.subscribe("*", recover={"epoch": epoch, "offset": 0})

    assert (reply["recovered"], reply["messages"]) == (False, [])
    assert reply["epoch"] != epoch
    await honest.talk()


async def test_outside_its_patterns_a_gadget_reads_and_says_nothing(site: Site, honest: Honest) -> None:
    rights: dict[str, Any] = {"roles": None, "publish": ["Notes"], "subscribe": ["Notes"]}
    gadget = await site.session(workspace=VICTIM, **rights)

    for pattern in ("*", "Honest", "Cisco", "*/test/count", "Bridge/Command", "Notes/*/*/*"):
        gadget.send(subscribe(pattern))
        assert (await gadget.message())["data"]["code"] in {"not_permitted", "invalid_data"}, pattern
    for address in ("Honest/test/count", "Cisco/InboundCall/SetHOLD", "Simulator/Call/Offer"):
        channel, topic, subtopic = address.split("/")
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": {}, "id": "try"}
        refused = (await told(gadget, message))["data"]
        assert (refused["code"], refused["rule"]) == ("not_permitted", "default"), address
    await honest.talk()
    assert (await told(gadget, {"channel": "Notes", "topic": "a", "subtopic": "b", "id": "own"}))[
        "subtopic"
    ] == "Accepted"


async def test_a_server_moves_no_calls_of_anybody(site: Site, honest: Honest) -> None:
    call = await victims_call(site)
    server = await site.session(
        f"?workspace={VICTIM}", workspace=None, roles=["server"], publish=["*"], subscribe=["*"]
    )

    refused = (await told(server, command("SetDROP", MediaAddress=VICTIM, CallID=call)))["data"]
    assert (refused["code"], refused["rule"]) == ("not_permitted", "command-own-workspace")
    server.send(subscribe("Cisco"))
    assert (await server.message())["data"]["rule"] == "workspace"
    await honest.talk()


async def test_nobody_signs_in_at_an_extension_that_is_not_the_tokens(site: Site, honest: Honest) -> None:
    bound = await site.session(workspace="5071", extension="5071")

    sign_in = {"channel": "Cisco", "topic": "Agent", "subtopic": "SetUserInfo"}
    for number, extension in enumerate((VICTIM, "5999")):
        data = {"username": VICTIM, "password": "guessed", "extension": extension}
        refused = (await told(bound, {**sign_in, "id": f"in-{number}", "data": data}))["data"]
        assert refused["code"] == "wrong_extension"
        assert "guessed" not in str(refused)
    taken = {"username": VICTIM, "password": "guessed", "extension": "5071"}
    assert (await told(bound, {**sign_in, "id": "as-victim", "data": taken}))["data"]["code"] == "illegal_state"
    await honest.talk()
