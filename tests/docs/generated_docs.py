"""The parts of the documentation that are made from the code, between markers.

``python -m tests.docs.generated_docs`` writes them; a test holds that they are in step.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.broker.policy import RULES
from bridge.calls.states import mermaid
from bridge.protocol import schemas
from bridge.protocol.catalogue import ENTRIES
from bridge.protocol.errors import REFUSALS
from bridge.protocol.json_schema import summary
from bridge.settings import PREFIX, Settings
from tests.docs import finesse_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DOCS = Path(__file__).parents[2] / "docs"

FURTHER_FIELDS = {
    "rate_limited": "`retryAfterMs`",
    "malformed_json": "`line`, `column`",
    "invalid_envelope": "`errors`",
    "not_permitted": "`rule`",
    "unknown_address": "`suggestion`, `hint`",
    "invalid_data": "`errors`",
    "limit_exceeded": "`limit`",
    "wrong_extension": "`errors`",
    "unknown_call": "`calls`",
    "illegal_state": "`state`, `allowed`",
}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def refusals(folder: str) -> str:
    """Tabulate the codes, in the order of the checks."""
    rows = (
        (
            f"[`{code}`]({folder}{code}.md)",
            str(refusal.status),
            "yes" if refusal.temporary else "no",
            refusal.meaning,
            FURTHER_FIELDS.get(code, ""),
        )
        for code, refusal in REFUSALS.items()
    )
    return _table(("code", "HTTP", "temporary", "when", "further fields"), rows)


def catalogue() -> str:
    """Tabulate every message with its schema."""
    rows = (
        (
            f"[`{entry.address}`](../schemas/{schemas.file_name(entry)})",
            "client" if entry.from_client else "bridge",
            entry.kind.value,
            summary(entry),
        )
        for entry in ENTRIES
    )
    return _table(("address", "sent by", "kind", "what it is"), rows)


def settings() -> str:
    """Tabulate the settings with default and reason."""
    rows = (
        (f"`{PREFIX}{name.upper()}`", _shown(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return _table(("setting", "default", "meaning, and why"), rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value}`"


def finesse() -> str:
    """Tabulate what each command does at Finesse."""
    return _table(("command", "request to Finesse", "what is seen of it", "complete when"), finesse_table.rows())


def rules() -> str:
    """Tabulate the rules of the policy in their order."""
    rows = (
        (
            f"`{rule.name}`",
            " and ".join(name for name in ("publish", "subscribe") if getattr(rule, name) is not None),
            rule.meaning,
        )
        for rule in RULES
    )
    return _table(("rule", "asked for", "what it says"), rows)


def state_diagram() -> str:
    """Draw the states of an agent's part in a call."""
    return f"```mermaid\n{mermaid()}```\n"


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("wire-protocol.md", "refusals"): lambda: refusals("errors/"),
    ("wire-protocol.md", "catalogue"): catalogue,
    ("errors/README.md", "refusals"): lambda: refusals(""),
    ("operations.md", "settings"): settings,
    ("operations.md", "rules"): rules,
    ("architecture.md", "states"): state_diagram,
    ("finesse.md", "commands"): finesse,
}


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- generated: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def stored(file: str, name: str) -> str:
    """Give the part as it stands in the documentation.

    Raises:
        LookupError: The file has no such part.
    """
    found = _between(name).search((DOCS / file).read_text(encoding="utf-8"))
    if found is None:
        raise LookupError(f"{file} has no part {name}")
    return found.group()


def write() -> None:
    """Bring every part up to date."""
    for (file, name), make in PARTS.items():
        path = DOCS / file
        head, marker, rest = path.read_text(encoding="utf-8").partition(f"<!-- generated: {name} -->\n")
        path.write_text(head + marker + make() + rest[rest.index("<!-- end -->") :], encoding="utf-8")


if __name__ == "__main__":
    write()
