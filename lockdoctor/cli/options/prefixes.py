"""Selects the prefixes of a run: those of the flags, else of lockdoctor.toml."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from lockdoctor.cli.options.types import option
from lockdoctor.domain.model.locks import Kind, outermost
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.errors import ConfigError

EVERY_KEY = b""


def prefixes(flags: PrefixFlags, rules: Iterable[Rule]) -> tuple[bytes, ...]:
    """
    Return the prefixes in the given order, without any inside another.

    Raises:
        ConfigError: No keys are selected, or flags contradict each other.
    """
    given = [os.fsencode(text) for text in flags.prefix]  # the exact bytes of the command line
    given += [from_hex("--prefix-hex", text) for text in flags.prefix_hex]
    if EVERY_KEY in given:
        raise ConfigError("An empty --prefix selects every key. If you want that, use --all-keys.")
    if flags.all_keys:
        if given:
            raise ConfigError("--all-keys and --prefix exclude each other. Give one of them.")
        return (EVERY_KEY,)
    found = given or [r.prefix for r in rules if r.prefix and r.limits.get("kind") != Kind.IGNORE]
    if not found:
        raise ConfigError(
            "No prefix given. Add `--prefix /my-lock/`, or list prefixes in lockdoctor.toml."
        )
    return outermost(found)


def from_hex(flag: str, text: str) -> bytes:
    """
    Return bytes that are written as hexadecimal digits.

    Raises:
        ConfigError: The text is not hexadecimal.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError(
            f"{flag} {text!r} is not pairs of hexadecimal digits. Write it like 2f6d79."
        ) from error


_TARGETS = "What to scan"


@dataclass(frozen=True, kw_only=True)
class PrefixFlags:
    """The prefixes of a command."""

    prefix: Annotated[
        list[str],
        option(
            "--prefix PREFIX",
            "Prefix of the keys; repeatable (default: lockdoctor.toml).",
            _TARGETS,
        ),
    ] = field(default_factory=list)
    prefix_hex: Annotated[
        list[str],
        option(
            "--prefix-hex HEX", "The same in hexadecimal: 2f6d792f is /my/; repeatable.", _TARGETS
        ),
    ] = field(default_factory=list)
    all_keys: Annotated[
        bool,
        option("--all-keys", "All keys of the cluster (usually needs the root role).", _TARGETS),
    ] = False
