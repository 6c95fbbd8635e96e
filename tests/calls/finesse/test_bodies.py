"""Each request as Finesse wants it, compared by what it means and not by how it is laid out."""

from __future__ import annotations

import pytest

from bridge.calls.adapter import CallRequest, ChangeStatus, SignIn
from bridge.calls.finesse.bodies import Outgoing, dialog_path, dialogs_path, outgoing, user_path
from bridge.calls.finesse.xml import Element, XmlError, parse
from bridge.calls.model import Action, AgentStatus

Shape = dict[str, object]

OWN: Shape = {"targetMediaAddress": "1001001"}

BODIES: dict[Action, Shape] = {
    Action.MAKE_CALL: {
        "fromAddress": "1001001",
        "toAddress": "5070",
        "mediaProperties": {"callvariables": {"CallVariable": {"name": "callVariable1", "value": "<&>"}}},
    },
    Action.ANSWER: OWN,
    Action.HOLD: OWN,
    Action.RETRIEVE: OWN,
    Action.DROP: OWN,
    Action.CONSULT_CALL: OWN | {"toAddress": "5070"},
    Action.TRANSFER: OWN,
    Action.CONFERENCE: OWN,
    Action.TRANSFER_SST: OWN | {"toAddress": "5070"},
    Action.SEND_DTMF: OWN | {"actionParams": {"ActionParam": {"name": "dtmfString", "value": "1#"}}},
    Action.UPDATE_CALL_DATA: {
        "mediaProperties": {"callvariables": {"CallVariable": {"name": "callVariable1", "value": "<&>"}}},
    },
}


def shape(element: Element) -> Shape:
    assert len({child.name for child in element.children}) == len(element.children)
    return {child.name: shape(child) if child.children else child.text for child in element.children}


def call_request(action: Action, **changes: str | None) -> CallRequest:
    return CallRequest(
        "r1",
        "demo",
        action,
        call=changes.get("call", None if action is Action.MAKE_CALL else "33554503"),
        to_address=changes.get("to_address", "5070"),
        digits=changes.get("digits", "1#"),
        variables={"callVariable1": "<&>"},
    )


def sent(request: CallRequest | SignIn | ChangeStatus) -> Outgoing:
    return outgoing(request, user="mlind", extension="1001001")


@pytest.mark.parametrize("action", Action)
def test_every_action_has_its_body(action: Action) -> None:
    out = sent(call_request(action))
    body = parse(out.body)

    assert (body.name, body.namespace, body.attributes) == ("Dialog", "", {})
    assert shape(body) == BODIES[action] | {"requestedAction": action.value}
    if action is Action.MAKE_CALL:
        assert (out.method, out.path) == ("POST", "/finesse/api/User/mlind/Dialogs")
    else:
        assert (out.method, out.path) == ("PUT", "/finesse/api/Dialog/33554503")


def test_call_without_variables_has_no_media_properties() -> None:
    request = CallRequest("r1", "demo", Action.MAKE_CALL, to_address="5070")

    assert shape(parse(sent(request).body)) == {
        "requestedAction": "MAKE_CALL",
        "fromAddress": "1001001",
        "toAddress": "5070",
    }


def test_every_variable_is_sent() -> None:
    variables = {"callVariable1": "", "user.basket[2]": " é\n"}
    request = CallRequest("r1", "demo", Action.UPDATE_CALL_DATA, call="1", variables=variables)

    (properties,) = parse(sent(request).body).named("mediaProperties")
    (listed,) = properties.named("callvariables")
    assert {each.value("name"): each.named("value")[0].text for each in listed.named("CallVariable")} == variables


def test_sign_in() -> None:
    out = sent(SignIn("r1", "demo", "mlind", "1001001"))

    assert (out.method, out.path) == ("PUT", "/finesse/api/User/mlind")
    assert parse(out.body).name == "User"
    assert shape(parse(out.body)) == {"state": "LOGIN", "extension": "1001001"}


@pytest.mark.parametrize("status", [AgentStatus.READY, AgentStatus.NOT_READY, AgentStatus.LOGOUT])
@pytest.mark.parametrize("reason", [None, "9"])
def test_state(status: AgentStatus, reason: str | None) -> None:
    out = sent(ChangeStatus("r1", "demo", status, reason))

    assert (out.method, out.path) == ("PUT", "/finesse/api/User/mlind")
    assert shape(parse(out.body)) == {"state": status.value} | ({"reasonCodeId": reason} if reason else {})


def test_what_stands_in_a_path_cannot_lead_elsewhere() -> None:
    assert dialog_path("../User/x?a#b") == "/finesse/api/Dialog/..%2FUser%2Fx%3Fa%23b"
    assert user_path("a b/é") == "/finesse/api/User/a%20b%2F%C3%A9"
    assert dialogs_path("a/b") == "/finesse/api/User/a%2Fb/Dialogs"


@pytest.mark.parametrize(
    ("action", "lacking"),
    [
        (Action.MAKE_CALL, "to_address"),
        (Action.CONSULT_CALL, "to_address"),
        (Action.TRANSFER_SST, "to_address"),
        (Action.SEND_DTMF, "digits"),
        (Action.HOLD, "call"),
        (Action.DROP, "call"),
    ],
)
def test_request_that_lacks_what_it_needs_is_not_made(action: Action, lacking: str) -> None:
    for nothing in (None, ""):
        with pytest.raises(ValueError, match=f"{action.value} lacks"):
            sent(call_request(action, **{lacking: nothing}))


def test_character_that_xml_cannot_hold_is_not_sent() -> None:
    with pytest.raises(XmlError):
        sent(call_request(Action.CONSULT_CALL, to_address="50\0"))


def test_repr_shows_no_customer_data() -> None:
    assert "<&>" not in repr(sent(call_request(Action.UPDATE_CALL_DATA)))
    assert "callVariable1" not in repr(sent(call_request(Action.UPDATE_CALL_DATA)))
