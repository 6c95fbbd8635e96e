"""How fast the adapter asks, retries and gives up: every pause in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. The defaults are for production; tests shorten them."""

    poll: float = 5.0
    """Between two questions to a node that serves: an outage is seen within twice this even without a notification."""

    poll_out: float = 2.0
    """The same for a node that does not."""

    sign_in: float = 8.0
    """For a whole sign-in: less than a command's time, so that its failure can say why."""

    request_retry: float = 0.3
    """Before a request is given again that could not be sent."""

    request_tries: int = 3
    """How often a request is given that cannot be sent."""

    request_last_try: float = 3.0
    """No try begins later: with the time that connecting takes, all of it is within a command's time."""

    back_off: float = 0.5
    """The first pause before a reconnect is up to this, each further one up to twice the one before."""

    back_off_most: float = 8.0
    """No pause is longer: Finesse signs out an agent whose presence is away for 60 seconds."""

    settle: float = 0.5
    """From a doubt to the reading that settles it: what is on its way may settle it first."""

    at_once: int = 20
    """So many agents connect at the same time, however many there are: no storm of sign-ins after a failover."""
