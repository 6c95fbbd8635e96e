"""The ``Simulator/…`` messages: the outside world's hand on the simulated switch."""

from __future__ import annotations

from pydantic import Field

from bridge.protocol.cisco import CallId, Dialable, Variables
from bridge.protocol.model import Body

CHANNEL = "Simulator"


class Offer(Body):
    """A customer's call rings at the workspace's agent."""

    fromAddress: Dialable = Field(description="The customer's number.")
    variables: Variables | None = None


class PartyAnswer(Body):
    """A party of the workspace's calls answers; among several calls the one ringing longest."""

    address: Dialable


class PartyDrop(Body):
    """A party of the workspace's calls hangs up."""

    address: Dialable
    CallID: CallId | None = None
