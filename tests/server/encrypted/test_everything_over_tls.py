"""What holds for a plain connection holds over TLS: the same tests again, on TLS connections.

TLS has no half-close, its transports end otherwise, and they buffer in two places. So what is repeated are the tests
of ends, of refusals, of clients that do not read, and of the stop.
"""

from __future__ import annotations

from tests.server.test_bad_frames import *  # noqa: F403 each of its tests
from tests.server.test_event_stream import *  # noqa: F403 same
from tests.server.test_http_limits import *  # noqa: F403 same
from tests.server.test_opening_handshake import (  # noqa: F401 those that ask for an http:// origin cannot hold here
    test_fault_of_the_bridge_closes_with_1011,
    test_frames_sent_with_the_request_are_read,
    test_handshake_that_is_none_gets_400,
    test_header_that_websockets_finds_too_long_is_refused,
    test_listed_origin_is_served,
    test_our_subprotocol_is_selected,
    test_refused_client_is_let_go,
    test_refused_session_is_upgraded_first_and_gets_nothing,
    test_upgrade_behind_an_unanswered_request_is_refused,
    test_upgrade_is_answered_as_the_rfc_says,
)
from tests.server.test_slow_consumer import *  # noqa: F403 each of its tests
from tests.server.test_stop_sequence import *  # noqa: F403 same
