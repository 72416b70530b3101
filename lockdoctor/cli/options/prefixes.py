"""Which prefixes a run examines: those of the flags, else those of lockdoctor.toml."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lockdoctor.cli.options.shared import TargetFlags
from lockdoctor.domain.model.locks import Kind, outermost
from lockdoctor.domain.policy.policy import Rule
from lockdoctor.errors import ConfigError

EVERY_KEY = b""


def prefixes(flags: TargetFlags, rules: Iterable[Rule]) -> tuple[bytes, ...]:
    """
    Choose the prefixes, in the order in which they were given, none inside another.

    Raises:
        ConfigError: Nothing says what to examine, or what is said contradicts itself.
    """
    given = [os.fsencode(text) for text in flags.prefix]  # the very bytes of the command line
    given += [from_hex("--prefix-hex", text) for text in flags.prefix_hex]
    if EVERY_KEY in given:
        raise ConfigError("An empty --prefix would be every key; if that is meant, use --all-keys")
    if flags.all_keys:
        if given:
            raise ConfigError("--all-keys leaves nothing for a --prefix to add; give one of them")
        return (EVERY_KEY,)
    found = given or [r.prefix for r in rules if r.prefix and r.limits.get("kind") != Kind.IGNORE]
    if not found:
        raise ConfigError("Say which keys to examine, for example --prefix /my-lock/")
    return outermost(found)


def from_hex(flag: str, text: str) -> bytes:
    """
    Read bytes that are no text.

    Raises:
        ConfigError: They are not written as bytes.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError(
            f"{flag} {text!r} is not hexadecimal digits in pairs, like 2f6d79"
        ) from error
