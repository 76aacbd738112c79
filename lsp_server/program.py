"""The verbs of `ghostnote`: each is thin over the package that does the work.

Exit codes: 0 done, 1 the input has errors, 2 wrong usage, 3 the model or its provider cannot be used. With `--json`,
one JSON object and nothing else goes to standard output.

Verbs of packages above the server (training, export) are found as entry points of the group `ghostnote.verbs` and
imported only when they are called, so that `ghostnote --help` and `ghostnote serve` stay quick.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, NoReturn

import typer

from lsp_server.commands.check import check
from lsp_server.commands.complete import complete
from lsp_server.commands.convert import convert
from lsp_server.commands.doctor import doctor
from lsp_server.commands.serve import serve
from lsp_server.exits import USAGE, fail
from lsp_server.version import version

GROUP = "ghostnote.verbs"

_SUMMARIES = {
    "corpus": "Gather scores into a training corpus.",
    "train": "Train a model on a corpus.",
    "evaluate": "Measure how well a model predicts held-out music.",
    "export": "Make a model bundle of a training checkpoint.",
    "bench": "Measure how fast models are on this machine, without an editor, and how good.",
}

app = typer.Typer(
    name="ghostnote",
    help="The next measures of your ABC or MusicXML score, as ghost text in your editor.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"ghostnote {version()}")
        raise typer.Exit


@app.callback()
def _program(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


for _verb in (serve, complete, check, convert, doctor):
    app.command()(_verb)


def _add_verb(entry_point: EntryPoint) -> None:
    """Add a verb that is imported when it is called; it reads its own arguments, `--help` included."""

    def call(context: typer.Context) -> None:
        command = _as_command(_load(entry_point))
        try:
            command(args=context.args, prog_name=f"ghostnote {entry_point.name}")
        except ImportError as error:  # a verb imports what is heavy only where it needs it
            _fail_for_want(entry_point, error)

    app.command(
        entry_point.name,
        help=_SUMMARIES.get(entry_point.name, f"Of {entry_point.value.partition(':')[0]}."),
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        rich_help_panel="Making models (needs the training extra)",
    )(call)


def _load(entry_point: EntryPoint) -> Any:
    try:
        return entry_point.load()
    except (ImportError, AttributeError) as error:
        _fail_for_want(entry_point, error)


def _fail_for_want(entry_point: EntryPoint, error: Exception) -> NoReturn:
    fail(
        f"'{entry_point.name}' needs what is not installed ({error}). "
        "Install it with: pip install 'ghostnote[training]'",
        USAGE,
    )


def _as_command(verb: Any) -> Callable[..., Any]:
    """A verb as something that reads arguments: it may be a typer app, or a function that typer understands."""
    if isinstance(verb, typer.Typer):
        return verb
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(verb)
    return single


for _entry_point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
    _add_verb(_entry_point)
