"""The command line ``workspace-bridge``. Each command imports what it needs only when it is called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge import __version__

app = typer.Typer(
    name="workspace-bridge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Url = Annotated[
    str,
    typer.Option("--url", envvar="BRIDGE_URL", metavar="URL", help="The bridge's WebSocket endpoint."),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        envvar="BRIDGE_WORKSPACE",
        metavar="NAME",
        help="Whose desktop.  [default: the token's first, else demo]",
    ),
]
App = Annotated[str, typer.Option("--app", envvar="BRIDGE_APP", metavar="NAME", help="The messages' source.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="BRIDGE_TOKEN_FILE",
        metavar="FILE",
        help="Where the token is, if the bridge asks for one; else BRIDGE_TOKEN holds it.",
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file", envvar="BRIDGE_CA_FILE", metavar="FILE", help="Trust these certificates (PEM) behind wss://."
    ),
]
Wait = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Wait so long for an outcome.")]

URL = "ws://127.0.0.1:8765/ws"
APP = "command-line"
INTERRUPTED = 130
OUTCOME_SECONDS = 60.0
"""Twice what a bridge gives a command that dials, by default."""


def _block(*lines: str) -> str:
    """Give a text whose lines stay as they are: a backspace at its head tells the formatter so."""
    return "\n".join(["\b", *lines])


def _examples(*lines: str) -> str:
    return _block("Examples:", *(f"  {line}" for line in lines))


def _print_version(wanted: bool) -> None:  # noqa: FBT001 Typer's callback
    if wanted:
        typer.echo(f"workspace-bridge {__version__}")
        raise typer.Exit


@app.callback(
    epilog=_block(
        "Start it, and see the demo page at http://127.0.0.1:8765/:",
        "  workspace-bridge serve",
        "In a second terminal see every message, in a third let a customer call:",
        "  workspace-bridge listen",
        """  workspace-bridge publish Simulator/Call/Offer '{"fromAddress":"+15550100"}' --wait""",
        "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no connection.",
    )
)
def _common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A message bus for the contact-center agent's desktop."""


@app.command(
    epilog=_examples(
        "workspace-bridge serve",
        "workspace-bridge serve --port 9000 --config bridge.toml",
        "BRIDGE_STRICT=true workspace-bridge serve --check",
    )
)
def serve(
    *,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Port; 0 takes a free one. [default: 8765]")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.", metavar="FILE.toml")] = None,
    adapter: Annotated[
        str | None, typer.Option(metavar="NAME", help="What moves the calls. [default: simulator]")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the settings, serve nothing.")] = False,
) -> None:
    """Run the bridge until Ctrl-C or SIGTERM.

    Settings come from these options, then BRIDGE_... variables, then the file.
    """
    from bridge.command_line import serve as command  # noqa: PLC0415 see the module's text

    command.serve(config, {"host": host, "port": port, "adapter": adapter}, check=check)


@app.command(
    epilog=_examples(
        "workspace-bridge listen",
        "workspace-bridge listen Cisco/InboundCall 'Bridge/Command/*'",
        "workspace-bridge listen Cisco/InboundCall | jq .data.call.event",
    )
)
def listen(
    patterns: Annotated[
        list[str] | None, typer.Argument(metavar="PATTERN", help="Such as Cisco/InboundCall.", show_default=False)
    ] = None,
    url: Url = URL,
    workspace: Workspace = None,
    app: App = APP,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Write every message as a line of JSON.

    What is current comes first, then what happens. Without a pattern this is everything. Lost connections are told on
    standard error, made anew, and what was missed is written before what is new. Ctrl-C ends it.
    """
    from bridge.command_line import exits  # noqa: PLC0415 see the module's text
    from bridge.command_line import listen as command  # noqa: PLC0415 same
    from bridge.command_line.access import access  # noqa: PLC0415 same

    exits.run(command.listen(access(url, workspace, app, token_file, ca_file), patterns or ()))


@app.command(
    epilog=_examples(
        """workspace-bridge publish Notes/Note/Added '{"text":"hello"}'""",
        """workspace-bridge publish Simulator/Call/Offer '{"fromAddress":"+15550100"}' --wait""",
        """echo '{"MediaAddress":"5069","CallID":"16786021"}' |""",
        "  workspace-bridge publish Cisco/InboundCall/SetANSWER - --id answer-1 --wait",
    )
)
def publish(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="channel/topic/subtopic")],
    data: Annotated[str | None, typer.Argument(metavar="JSON", help="The body; - reads standard input.")] = None,
    *,
    message_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Names the message: sent twice, it acts once.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a command's outcome and print it.")] = False,
    timeout: Wait = OUTCOME_SECONDS,
    url: Url = URL,
    workspace: Workspace = None,
    app: App = APP,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Publish one message and print the bridge's reply.

    Exit code 0 only if it was accepted and, with --wait, completed.
    """
    from bridge.command_line import exits  # noqa: PLC0415 see the module's text
    from bridge.command_line import publish as command  # noqa: PLC0415 same
    from bridge.command_line.access import access  # noqa: PLC0415 same

    body = command.read_data(data)
    way = access(url, workspace, app, token_file, ca_file)
    sending = command.publish(way, address=address, data=body, message_id=message_id, wait=wait, seconds=timeout)
    exits.run(sending)


@app.command(
    epilog=_examples(
        "workspace-bridge consult --call 16786021 --to 5070",
        "workspace-bridge consult --call 16786021 --to 5070 --workspace 5071",
    )
)
def consult(
    call: Annotated[str, typer.Option("--call", metavar="ID", help="The agent's active call.")],
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Whom to consult.")],
    timeout: Wait = OUTCOME_SECONDS,
    url: Url = URL,
    workspace: Workspace = None,
    app: App = APP,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Hold a call and call a colleague about it.

    Returns when it rings there.
    """
    from bridge.command_line import consult as command  # noqa: PLC0415 see the module's text
    from bridge.command_line import exits  # noqa: PLC0415 same
    from bridge.command_line.access import access  # noqa: PLC0415 same

    exits.run(command.consult(access(url, workspace, app, token_file, ca_file), call=call, to=to, seconds=timeout))


@app.command(
    epilog=_examples(
        "workspace-bridge explain publish Cisco/InboundCall/SetCONSULT --token-file desk.token",
        "workspace-bridge explain subscribe 'Cisco/*' --workspace 5069 | jq .rule",
    )
)
def explain(
    action: Annotated[Literal["publish", "subscribe"], typer.Argument(help="What is asked about.")],
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, or a pattern to subscribe to.")],
    url: Url = URL,
    workspace: Workspace = None,
    app: App = APP,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Ask a bridge which rule decides for a token.

    Exit code 0 where it is allowed, 1 where it is not.
    """
    from bridge.command_line import exits  # noqa: PLC0415 see the module's text
    from bridge.command_line import explain as command  # noqa: PLC0415 same
    from bridge.command_line.access import access  # noqa: PLC0415 same

    exits.run(command.explain(access(url, workspace, app, token_file, ca_file), action, address))


@app.command(
    epilog=_examples(
        "workspace-bridge token --workspace 5069 --extension 5069 --role widget",
        "workspace-bridge token --workspace 5069 --app notes --role gadget --subscribe Cisco/InboundCall > notes.token",
        "workspace-bridge token --role server --show",
    )
)
def token(
    *,
    workspace: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Where sessions may be opened; several times for several.")
    ] = None,
    subject: Annotated[str, typer.Option(metavar="NAME", help="Whose token it is.")] = "developer",
    app_name: Annotated[str | None, typer.Option("--app", metavar="NAME", help="Fix the messages' source.")] = None,
    extension: Annotated[str | None, typer.Option(metavar="NUMBER", help="Fix whose calls it may move.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help="widget, gadget, host, supervisor, server or operator.")
    ] = None,
    publish_to: Annotated[
        list[str] | None, typer.Option("--publish", metavar="PATTERN", help="Where it may publish, beside its roles.")
    ] = None,
    subscribe_to: Annotated[
        list[str] | None, typer.Option("--subscribe", metavar="PATTERN", help="What it may read, beside its roles.")
    ] = None,
    apps: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With the role host: whose source it may give.")
    ] = None,
    origin: Annotated[list[str] | None, typer.Option(metavar="ORIGIN", help="Pages that may use it.")] = None,
    ttl: Annotated[int, typer.Option(metavar="SECONDS", min=1, help="How long it is good.")] = 28_800,
    config: Annotated[Path | None, typer.Option(help="The bridge's TOML file.", metavar="FILE.toml")] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the claims on standard error.")] = False,
) -> None:
    """Issue a token for development.

    It is signed with JWT_SECRET, which the bridge must have too, and written alone to standard output.
    """
    from bridge.command_line import token as command  # noqa: PLC0415 see the module's text

    command.check([*(publish_to or ()), *(subscribe_to or ())], role or ())
    claims = {
        "sub": subject,
        "workspace": workspace,
        "app": app_name,
        "extension": extension,
        "roles": role,
        "publish": publish_to,
        "subscribe": subscribe_to,
        "apps": apps,
        "origins": origin,
    }
    command.token(config, claims, ttl, show=show)


@app.command(epilog=_examples("workspace-bridge schemas schemas", "workspace-bridge schemas schemas --check"))
def schemas(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Where they stand.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare instead of writing.")] = False,
    types: Annotated[
        Path | None,
        typer.Option("--types", metavar="FILE", dir_okay=False, help="TypeScript types as well, in a file."),
    ] = None,
) -> None:
    """Write or check the generated schemas.

    These are the JSON Schemas of all messages and the AsyncAPI document.
    """
    from bridge.command_line import schemas as command  # noqa: PLC0415 see the module's text

    (command.check if check else command.write)(folder, types)


@app.command(
    "finesse-simulator",
    epilog=_examples(
        "workspace-bridge finesse-simulator",
        "workspace-bridge finesse-simulator --pair --profile ccx --agents 20",
        "workspace-bridge finesse-simulator --json | jq -r .control",
    ),
)
def finesse_simulator(
    *,
    pair: Annotated[bool, typer.Option("--pair", help="Two nodes instead of one.")] = False,
    profile: Annotated[Literal["cce", "ccx"], typer.Option(help="The product behind: Enterprise or Express.")] = "cce",
    agents: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many agents: 1001001 and on.")] = 3,
    json: Annotated[
        bool, typer.Option("--json", help="Say where it is in one line of JSON, when it is ready.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_528,
            help="First of seven: REST, WebSocket and TCP of each node, control interface. 0 takes free ones.",
        ),
    ] = 0,
    directory: Annotated[
        Path | None, typer.Option(metavar="DIR", file_okay=False, help="For its files, instead of a temporary one.")
    ] = None,
    reaction_ms: Annotated[
        int, typer.Option(metavar="MS", min=0, max=60_000, help="How long the switch takes for each step.")
    ] = 20,
    forced_logout_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Sign out whose presence is gone for so long.")
    ] = 60.0,
    lockout_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long five wrong passwords lock an account.")
    ] = 300.0,
) -> None:
    """Run a look-alike of Cisco Finesse to try and test against, until Ctrl-C or SIGTERM.

    A simulated switch behind Finesse's REST API, and a real XMPP server, Prosody. 5090 is busy, 5091 a bad number.
    """
    from bridge.command_line import finesse_simulator as command  # noqa: PLC0415 see the module's text

    command.run(
        as_json=json,
        agents=agents,
        pair=pair,
        profile=profile,
        port=port,
        directory=directory,
        reaction_seconds=reaction_ms / 1000,
        forced_logout_seconds=forced_logout_seconds,
        locked_seconds=lockout_seconds,
    )


@app.command(
    "finesse-demo",
    epilog=_examples(
        "workspace-bridge finesse-demo",
        "workspace-bridge finesse-demo --pair --agents 5 --port 9000",
    ),
)
def finesse_demo(
    *,
    port: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=0, max=65_535, help="The bridge's port; 0 takes a free one. [default: 8765]"),
    ] = None,
    pair: Annotated[bool, typer.Option("--pair", help="Two Finesse nodes instead of one.")] = False,
    profile: Annotated[Literal["cce", "ccx"], typer.Option(help="The product behind: Enterprise or Express.")] = "cce",
    agents: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="How many agents: 1001001 and on.")] = 3,
) -> None:
    """See the Finesse adapter at work: a look-alike and a bridge, until Ctrl-C.

    Says where the demo page is and who can sign in. Needs Prosody, as finesse-simulator does, and no Finesse.
    """
    from bridge.command_line import finesse_demo as command  # noqa: PLC0415 see the module's text

    command.run(port, pair=pair, profile=profile, agents=agents)


def main() -> None:
    """Be the command ``workspace-bridge``. Ctrl-C ends it without a traceback."""
    try:
        app(prog_name="workspace-bridge")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
