"""The catalogue: which addresses there are, what their bodies look like, who may send them, what is retained.

A message passes three questions here, in the order in which refusals are told: ``entry`` and ``refuse_reserved``;
then, after the policy was asked, whether it has an entry, or a channel that is free because it has no ``home`` here;
then ``check_body``.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from bridge.protocol import cisco, control, simulator
from bridge.protocol.address import Address, folded
from bridge.protocol.errors import Code, FieldError, Rejection, pointer, worth_telling
from bridge.protocol.model import MAX_FIELDS, field_errors, string_fields, too_many_fields
from bridge.protocol.repair import Warn, digits_for_strings, doubled_error, normalised, repair_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.protocol.message import Message
    from bridge.protocol.strict_json import Path


class Kind(Enum):
    """What a catalogued message is."""

    CONTROL = "control"
    """From a client to the bridge itself."""
    COMMAND = "command"
    """From a client to call control; ends in one outcome."""
    REPLY = "reply"
    """From the bridge to one session; has no place in the stream."""
    EVENT = "event"
    """From the bridge to the workspace."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One catalogued message."""

    address: Address
    body: type[BaseModel]
    kind: Kind
    aliases: tuple[str, ...] = ()
    secret: bool = False
    replies: tuple[Address, ...] = ()
    names: dict[str, str] = None  # type: ignore[assignment]
    strings: frozenset[str] = frozenset()
    needs_data: bool = False

    def __post_init__(self) -> None:
        fields = self.body.model_fields
        object.__setattr__(self, "names", {name.casefold(): name for name in fields})
        object.__setattr__(self, "strings", string_fields(self.body))
        object.__setattr__(self, "needs_data", any(field.is_required() for field in fields.values()))

    @property
    def from_client(self) -> bool:
        """Whether clients send it; all else comes from the bridge alone."""
        return self.kind in {Kind.CONTROL, Kind.COMMAND}


_OUTCOMES = (control.COMPLETED, control.FAILED, control.TIMED_OUT)


def _control(address: Address, body: type[BaseModel], *replies: Address, secret: bool = False) -> Entry:
    return Entry(address, body, Kind.CONTROL, secret=secret, replies=(*replies, control.REJECTED))


def _command(
    channel: str, topic: str, subtopic: str, body: type[BaseModel], *aliases: str, secret: bool = False
) -> Entry:
    replies = (control.ACCEPTED, control.REJECTED, *_OUTCOMES)
    return Entry(Address(channel, topic, subtopic), body, Kind.COMMAND, aliases, secret, replies)


def _call_commands(topic: str) -> tuple[Entry, ...]:
    return (
        _command(cisco.CHANNEL, topic, "SetCONSULT", cisco.SetConsult, "SetCONSULT_CALL"),
        _command(cisco.CHANNEL, topic, "SetCONFERENCE", cisco.SetConference),
        _command(cisco.CHANNEL, topic, "SetTRANSFER", cisco.SetTransfer),
        _command(cisco.CHANNEL, topic, "SetTRANSFER_SST", cisco.SetTransferSingleStep),
        _command(cisco.CHANNEL, topic, "SetANSWER", cisco.SetAnswer),
        _command(cisco.CHANNEL, topic, "SetHOLD", cisco.SetHold),
        _command(cisco.CHANNEL, topic, "SetRETRIEVE", cisco.SetRetrieve),
        _command(cisco.CHANNEL, topic, "SetDROP", cisco.SetDrop),
        _command(cisco.CHANNEL, topic, "SetSEND_DTMF", cisco.SetSendDtmf),
        _command(cisco.CHANNEL, topic, "SetMakeCall", cisco.SetMakeCall),
        _command(cisco.CHANNEL, topic, "SetUPDATE_CALL_DATA", cisco.SetUpdateCallData),
    )


ENTRIES: tuple[Entry, ...] = (
    _control(control.OPEN, control.Open, control.OPENED, secret=True),
    _control(control.REFRESH, control.Refresh, control.REFRESHED, secret=True),
    _control(control.SUBSCRIBE, control.Subscribe, control.SUBSCRIBED),
    _control(control.UNSUBSCRIBE, control.Unsubscribe, control.UNSUBSCRIBED),
    _control(control.STATUS, control.Status, control.STATUS),
    _control(control.EXPLAIN, control.Explain, control.EXPLAINED),
    Entry(control.STATUS, control.StatusReply, Kind.REPLY),
    Entry(control.OPENED, control.Opened, Kind.REPLY),
    Entry(control.REFRESHED, control.Refreshed, Kind.REPLY),
    Entry(control.EXPLAINED, control.Explained, Kind.REPLY),
    Entry(control.HEARTBEAT, control.Heartbeat, Kind.REPLY),
    Entry(control.SUBSCRIBED, control.Subscribed, Kind.REPLY),
    Entry(control.UNSUBSCRIBED, control.Unsubscribed, Kind.REPLY),
    Entry(control.ACCEPTED, control.Accepted, Kind.REPLY),
    Entry(control.REJECTED, control.Rejected, Kind.REPLY),
    Entry(control.COMPLETED, control.Completed, Kind.EVENT),
    Entry(control.FAILED, control.Failed, Kind.EVENT),
    Entry(control.TIMED_OUT, control.TimedOut, Kind.EVENT),
    *_call_commands(cisco.INBOUND),
    *_call_commands(cisco.OUTBOUND),
    _command(cisco.CHANNEL, "Agent", "SetUserInfo", cisco.SetUserInfo, secret=True),
    _command(cisco.CHANNEL, "Agent", "SetReadyState", cisco.SetReadyState),
    _command(cisco.CHANNEL, "Agent", "SetNotReadyState", cisco.SetNotReadyState),
    _command(cisco.CHANNEL, "Agent", "GetAgentState", cisco.GetAgentState),
    _command(cisco.CHANNEL, "Connection", "Logout", cisco.Logout),
    Entry(cisco.INBOUND_EVENT, cisco.CallStateChange, Kind.EVENT),
    Entry(cisco.OUTBOUND_EVENT, cisco.CallStateChange, Kind.EVENT),
    Entry(cisco.AGENT_STATE, cisco.AgentState, Kind.EVENT),
    Entry(cisco.CONNECTION_STATUS, cisco.ConnectionStatus, Kind.EVENT),
    Entry(cisco.API_ERROR, cisco.ApiError, Kind.EVENT),
    _command(simulator.CHANNEL, "Call", "Offer", simulator.Offer),
    _command(simulator.CHANNEL, "Party", "Answer", simulator.PartyAnswer),
    _command(simulator.CHANNEL, "Party", "Drop", simulator.PartyDrop),
)

CHANNELS = frozenset(entry.address.channel for entry in ENTRIES)

NOT_SUPPORTED = frozenset(
    {
        "barge call", "reject", "close", "callsstatechange", "getappstate", "wrapupcall", "updatecallvariables",
        "getwrapupreasoncode", "getphonedirectory", "reinit", "setteamagentnotreadystate", "setteamagentlogout",
        "setsilentmonitoring", "setdropparticipant", "setupdate_scheduled_callback", "setbarge call", "setreject",
        "setclose", "openconnection", "login", "setmrdlist", "getmedia", "setsysteminfo", "setmappedmrd", "map",
        "setlogoutreasoncodes", "setnotreadyreasoncodes", "setphonebook", "setphonedirectory", "setwrapupcode",
    },
)  # fmt: skip
"""Documented subtopics of the desktop's message family that this bridge does not carry out, in lower case."""


def _by_name(entries: Iterable[Entry]) -> dict[Address, Entry]:
    """Index entries by lower-cased topic and subtopic, aliases included."""
    index: dict[Address, Entry] = {}
    for entry in entries:
        channel, topic, subtopic = entry.address
        for name in (subtopic, *entry.aliases):
            index.setdefault(Address(channel, topic.casefold(), name.casefold()), entry)
    return index


BY_ADDRESS: dict[Address, Entry] = {}
"""Every address of the catalogue; ``Bridge/Command/Status``, question and answer both, is here the question."""
for _entry in ENTRIES:
    BY_ADDRESS.setdefault(_entry.address, _entry)

_folded = _by_name(ENTRIES)
_folded_channels = {folded(channel): channel for channel in CHANNELS}


def entry(message: Message) -> Entry | None:
    """Find the message's entry, and give the message the catalogue's spelling of its address."""
    found = BY_ADDRESS.get(message.address)
    if found is not None or message.address.channel not in CHANNELS:
        return found
    channel, topic, subtopic = message.address
    found = _folded.get(Address(channel, topic.casefold(), subtopic.casefold()))
    if found is not None:
        _respell(message, found)
    return found


def _respell(message: Message, found: Entry) -> None:
    sent, message.address = message.address, found.address
    if sent.topic != found.address.topic:
        message.warnings.append(_misspelt("topic", sent.topic, found.address.topic))
    if sent.subtopic not in (found.address.subtopic, *found.aliases):
        message.warnings.append(_misspelt("subtopic", sent.subtopic, found.address.subtopic))


def _misspelt(field: str, sent: str, meant: str) -> Warn:
    return Warn(pointer(field), "misspelt_address", f"{sent!r} was taken as {meant!r}")


def refuse_reserved(message: Message, found: Entry | None) -> None:
    """Refuse what only the bridge sends.

    Raises:
        Rejection: ``reserved_channel``.
    """
    if found is not None and not found.from_client:
        raise Rejection(Code.RESERVED_CHANNEL, f"{message.address} is sent by the bridge only")
    if found is None and message.address.channel == control.CHANNEL:
        raise Rejection(Code.RESERVED_CHANNEL, f"{message.address} is no control message")


def unknown_address(address: Address) -> Rejection:
    """Give the refusal of an address that is not in the catalogue, with the nearest that there is."""
    channel = home(address.channel)
    if channel is None:
        return Rejection(Code.UNKNOWN_ADDRESS, f"there is no channel {address.channel!r}, and free ones are off")
    details: dict[str, Any] = {}
    if address.subtopic.casefold() not in NOT_SUPPORTED:
        if near := _nearest(channel, address):
            details["suggestion"] = near
    else:
        details["hint"] = f"not supported: this bridge does not carry out {address.subtopic}"
    return Rejection(Code.UNKNOWN_ADDRESS, f"{address} is not in the catalogue", details=details)


@lru_cache(maxsize=1024)
def home(channel: str) -> str | None:
    """Return the channel of the catalogue that this one is, or is easily taken for."""
    return _folded_channels.get(folded(channel))


def _nearest(channel: str, address: Address) -> str | None:
    addresses = [str(e.address) for e in ENTRIES if e.address.channel == channel and e.from_client]
    candidates = {address.casefold(): address for address in addresses}
    sent = f"{channel}/{address.topic}/{address.subtopic}".casefold()
    near = difflib.get_close_matches(sent, candidates, n=1, cutoff=0.5)
    return candidates[near[0]] if near else None


def check_body(found: Entry, message: Message, *, strict: bool) -> BaseModel:
    """Check and repair the data of a catalogued message; ``message.data`` is canonical afterwards.

    Raises:
        Rejection: ``invalid_data``, with every field that is wrong.
    """
    if message.doubled:
        raise doubled_keys(message, found.names)
    if message.data is None and not found.needs_data:
        message.data = {}
    if isinstance(message.data, dict):
        message.data = _repaired(found, message)
    if strict and message.warnings:
        raise _invalid_data(tuple(warning.to_error() for warning in message.warnings))
    try:
        return found.body.model_validate(message.data)
    except ValidationError as error:
        raise _invalid_data(field_errors(error, at=("data",), known=found.body.model_fields)) from None


def _repaired(found: Entry, message: Message) -> dict[str, Any]:
    data: dict[str, Any] = message.data
    if len(data) > MAX_FIELDS:
        raise _invalid_data((too_many_fields(("data",)),))
    if not data.keys() <= found.body.model_fields.keys():
        data = repair_keys(data, found.names, at=("data",), code=Code.INVALID_DATA, warnings=message.warnings)
    digits_for_strings(data, found.strings, at=("data",), warnings=message.warnings)
    return data


def doubled_keys(message: Message, names: Mapping[str, str] | None = None) -> Rejection:
    """Give the refusal of data in which a key stands twice: two readers could differ about it."""
    return _invalid_data(worth_telling(_doubled_error(path, names or {}) for path in message.doubled))


def _doubled_error(path: Path, names: Mapping[str, str]) -> FieldError:
    """Point into the repaired message: the field of the body under the catalogue's name, what lies deeper as sent."""
    field, *deeper = path[1:]
    known = names.get(normalised(field), field) if isinstance(field, str) else field
    return doubled_error("data", known, *deeper)


def _invalid_data(errors: tuple[FieldError, ...]) -> Rejection:
    return Rejection(Code.INVALID_DATA, errors[0].message, errors=errors)


class Retention(NamedTuple):
    """What the newest event with this key replaces; ``keep`` is false for the one that ends it."""

    key: str
    keep: bool


def retention(address: Address, data: Any) -> Retention | None:
    """Say under which key an event of the bridge is retained: call events per call, the others per workspace."""
    if address in {cisco.INBOUND_EVENT, cisco.OUTBOUND_EVENT}:
        call = data["call"]
        return Retention(f"call {call['id']}", not call["ended"])
    if address in {cisco.AGENT_STATE, cisco.CONNECTION_STATUS}:
        return Retention(str(address), keep=True)
    return None
