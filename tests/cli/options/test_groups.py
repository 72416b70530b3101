"""Dataclasses as groups of options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from lockdoctor.cli.options.groups import PanelledCommand, to_click_command


@dataclass(frozen=True, kw_only=True)
class Fruit:
    """A group of options."""

    apples: Annotated[
        int, typer.Option("--apples", help="Red ones.", rich_help_panel="Fruit in a bowl")
    ] = 1
    pears: Annotated[list[str], typer.Option("--pear")] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Bowl:
    """Another one."""

    wooden: Annotated[bool, typer.Option("--wooden")] = False


seen: list[tuple[Fruit, Bowl]] = []


def fill(fruit: Fruit, bowl: Bowl) -> int:
    """Fill the bowl."""
    seen.append((fruit, bowl))
    return fruit.apples


def parse(*argv: str) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command("fill", cls=PanelledCommand)(to_click_command(fill))
    return typer.main.get_command(app).main(list(argv), "bowl", standalone_mode=False)


def test_a_job_runs_only_when_called() -> None:
    """Parsing gathers the options into their groups; the command runs when the job is called."""
    seen.clear()
    ready = parse("--apples", "3", "--pear", "a", "--pear", "b", "--wooden")

    assert not seen
    assert ready() == 3
    assert seen == [(Fruit(apples=3, pears=["a", "b"]), Bowl(wooden=True))]


def test_defaults_are_those_of_the_fields() -> None:
    """What is not given is what the field says."""
    seen.clear()
    parse()()

    assert seen == [(Fruit(), Bowl())]


def test_help_puts_options_under_their_headings() -> None:
    """Each heading is a section, and the command's docstring is the help."""
    command = typer.Typer(add_completion=False, rich_markup_mode=None)
    command.command("fill", cls=PanelledCommand)(to_click_command(fill))
    click_command = typer.main.get_command(command)
    text = click_command.get_help(click_command.make_context("bowl", [], resilient_parsing=True))

    assert "Fill the bowl." in text
    assert "Fruit in a bowl:\n  --apples" in text
    assert "Options:\n  --pear" in text
