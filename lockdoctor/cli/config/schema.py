"""Reads one table of a TOML file by a schema; errors name the line."""

from __future__ import annotations

import bisect
import difflib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lockdoctor.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TomlPath: TypeAlias = Sequence[str | int]
"""Keys of tables and indices of arrays, the outermost first."""

Reader: TypeAlias = Callable[[Any], Any]
"""Converts a value of the file; a ValueError has the reason in one sentence."""

Schema: TypeAlias = Mapping[str, tuple[str, Reader]]
"""For each key of a table: the name of its value, and its reader."""


@dataclass(frozen=True, kw_only=True)
class TomlTable:
    """A table with its place in the file."""

    file: Path
    text: str
    """The text of the whole file."""
    content: dict[str, Any]
    path: TomlPath = ()

    def only(self, known: Iterable[str]) -> None:
        """
        Refuse unknown keys.

        Raises:
            ConfigError: A key is unknown; the message has the most similar known key.
        """
        names = list(known)
        for key in self.content:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(names)}"
                raise self.error(key, f"unknown key {json.dumps(key)}. {hint}")

    def read(self, schema: Schema) -> dict[str, Any]:
        """
        Return every value of the table.

        Raises:
            ConfigError: A key is unknown, or its value is invalid.
        """
        self.only(schema)
        values = {}
        for key, raw in self.content.items():
            name, reader = schema[key]
            try:
                values[name] = reader(raw)
            except ValueError as error:
                raise self.error(key, f"{key}: {error}") from error
        return values

    def table(self, key: str) -> TomlTable:
        """
        Return the table below this one; an empty one if it is missing.

        Raises:
            ConfigError: The key holds something else.
        """
        content = self.content.get(key, {})
        if not isinstance(content, dict):
            name = ".".join((*map(str, self.path), key))
            raise self.error(key, f"{key} is a table. Write [{name}] above its keys")
        return self._below(content, key)

    def tables(self, key: str) -> list[TomlTable]:
        """
        Return the tables of an array below this one.

        Raises:
            ConfigError: The key holds something else.
        """
        items = self.content.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self.error(key, f"{key} is a list of tables. Write [[{key}]] in double brackets")
        return [self._below(item, key, index) for index, item in enumerate(items)]

    def error(self, key: str | None, message: str) -> ConfigError:
        """Return an error with the line of a key, or of the table itself."""
        return ConfigError(f"{self.place(key)}: {message}{'' if message.endswith('?') else '.'}")

    def place(self, key: str | None = None) -> str:
        """Return the file and the line of a key, or of the table itself."""
        line = line_of(self.text, self.path if key is None else (*self.path, key))
        return f"{self.file} line {line}"

    def _below(self, content: dict[str, Any], *steps: str | int) -> TomlTable:
        return TomlTable(file=self.file, text=self.text, content=content, path=(*self.path, *steps))


def read_file(file: Path) -> TomlTable:
    """
    Return a whole file as its outermost table.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return TomlTable(file=file, text=text, content=tomllib.loads(text))
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}. Check --config.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}. Correct this line.") from error


def line_of(text: str, path: TomlPath) -> int:
    """
    Return the line, counted from 1, of the statement that creates a path.

    The text must be valid TOML with the path. Longer and longer beginnings of the text are parsed.
    The path exists from the first line of its statement on, so a binary search finds it.
    """
    lines = text.split("\n")

    def is_there(index: int) -> bool:
        return _has(_first_statements(lines, index + 1), path)

    return bisect.bisect_left(range(len(lines)), True, key=is_there) + 1


def _first_statements(lines: list[str], at_least: int) -> Any:
    """Parse the first N lines, and more if a statement continues."""
    beginnings = (_parsed(lines[:count]) for count in range(at_least, len(lines) + 1))
    return next(document for document in beginnings if document is not None)


def _parsed(lines: list[str]) -> Any | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def _has(document: Any, path: TomlPath) -> bool:
    try:
        for step in path:
            document = document[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True
