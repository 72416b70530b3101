"""
The dataclasses of this program: Python's own, of which the frozen ones take half as long to make.

Python writes and compiles six methods for each frozen dataclass. A check has some two hundred of
them, which took it longer to load than gRPC. How values are compared, hashed and shown needs no
text written for the class; how they are made and kept frozen does, and is left to Python.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """Make a class a dataclass; takes what dataclasses.dataclass does, but eq and repr."""
        if not options.get("frozen"):
            return dataclasses.dataclass(**options)

        def make(given: type) -> type:
            made = dataclasses.dataclass(given, **options, eq=False, repr=False)
            for name, method in _methods(made).items():
                if name not in given.__dict__:
                    setattr(made, name, method)
            return made

        return make


def _methods(made: type) -> dict[str, Callable[..., Any]]:
    compared = [field.name for field in dataclasses.fields(made) if field.compare]
    values: Callable[[Any], Any] = attrgetter(*compared) if compared else type

    def equal(self: Any, other: object) -> Any:
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed, "__repr__": _shown}


def _shown(self: Any) -> str:
    told = (field.name for field in dataclasses.fields(self) if field.repr)
    inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in told)
    return f"{type(self).__qualname__}({inside})"
