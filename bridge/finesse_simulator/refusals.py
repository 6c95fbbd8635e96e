"""How the look-alike says no: at once over HTTP, or later over XMPP (Finesse developer guide, "API errors")."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class ApiError:
    """One error as Finesse words it. A CCE may add what its peripheral said."""

    error_type: str
    message: str
    data: str = ""
    peripheral_code: str = ""
    peripheral_message: str = ""


class RefusalError(Exception):
    """Finesse's own checks refuse a request: it is answered with this status and error, and goes no further."""

    def __init__(self, status: int, error: ApiError) -> None:
        super().__init__(error.message)
        self.status = int(status)
        self.error = error


class CtiError(Exception):
    """The telephone switch refuses what Finesse has taken: told over XMPP."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


def bad_request(message: str) -> RefusalError:
    """Answer a body that cannot be read."""
    return RefusalError(HTTPStatus.BAD_REQUEST, ApiError("Bad Request", message))


def missing(name: str) -> RefusalError:
    """Answer a body in which an element is missing or empty."""
    return RefusalError(HTTPStatus.BAD_REQUEST, ApiError("Parameter Missing", f"{name} Parameter missing", name))


def invalid_input(name: str, message: str) -> RefusalError:
    """Answer an element that cannot be so."""
    return RefusalError(HTTPStatus.BAD_REQUEST, ApiError("Invalid Input", message, name))


def invalid_destination(message: str, address: str) -> RefusalError:
    """Answer a number that cannot be called."""
    return RefusalError(HTTPStatus.BAD_REQUEST, ApiError("Invalid Destination", message, address))


def unauthorized(user: str) -> RefusalError:
    """Answer wrong credentials, and those of an agent who is not signed in."""
    return RefusalError(HTTPStatus.UNAUTHORIZED, ApiError("Authorization Failure", "UNAUTHORIZED", user))


def wrong_user(user: str) -> RefusalError:
    """Answer good credentials of somebody whose object this is not."""
    message = "The user specified in the authentication credentials and the URI don't match"
    return RefusalError(HTTPStatus.UNAUTHORIZED, ApiError("Invalid Authorization User Specified", message, user))


def no_dialog(dialog: str) -> RefusalError:
    """Answer for a dialog that is not there."""
    message = "Invalid dialogId specified for dialog"
    return RefusalError(HTTPStatus.NOT_FOUND, ApiError("Dialog Not Found", message, dialog))


def no_user(user: str) -> RefusalError:
    """Answer for a user that is not there."""
    return RefusalError(HTTPStatus.NOT_FOUND, ApiError("User Not Found", "UNKNOWN_USER", user))


def not_implemented(action: str) -> RefusalError:
    """Answer an action that this product does not have."""
    message = f"{action} is not implemented on this platform"
    return RefusalError(HTTPStatus.NOT_IMPLEMENTED, ApiError("Not Implemented", message, action))


def out_of_service() -> RefusalError:
    """Answer while the node is not in service."""
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, ApiError("Service Unavailable", "SERVER_OUT_OF_SERVICE"))
