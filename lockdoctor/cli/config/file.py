"""Reads lockdoctor.toml: clusters, limits per prefix, accepted findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from lockdoctor.cli.config.connection import ConnectionValues
from lockdoctor.cli.config.schema import Schema, TomlTable, read_file
from lockdoctor.domain.check.accepted_findings import Acceptance
from lockdoctor.domain.evidence.verdicts import HARMLESS, OF_SESSIONS, VerdictKind
from lockdoctor.domain.model.actions import Action
from lockdoctor.domain.model.locks import Kind
from lockdoctor.domain.policy.durations import parse_duration
from lockdoctor.domain.policy.policy import MIN_RUNS, Limits, Rule, Treatment
from lockdoctor.domain.recipes.declaration import OWN_FIELDS, DeclarationError, own_recipe
from lockdoctor.domain.recipes.lock_recipe import LockRecipe
from lockdoctor.domain.recipes.registry import RecipeBook, built_in
from lockdoctor.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """The content of a configuration file; empty without a file."""

    file: Path | None = None
    connection: ConnectionValues = field(default_factory=ConnectionValues)
    """The connection of a run that names no cluster."""
    clusters: Mapping[str, ConnectionValues] = field(default_factory=dict)
    """Connections by the name for --cluster; they do not inherit from one another."""
    rules: tuple[Rule, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    recipes: tuple[LockRecipe, ...] = ()

    @property
    def book(self) -> RecipeBook:
        """Return the recipes: those of the file first, then the built-in ones."""
        return built_in().with_own(self.recipes)

    def cluster(self, name: str) -> ConnectionValues:
        """
        Return the connection of a named cluster.

        Raises:
            ConfigError: There is no such cluster; the message lists the clusters.
        """
        if name in self.clusters:
            return self.clusters[name]
        if self.file is None:
            raise ConfigError(
                f"--cluster {name} needs a lockdoctor.toml, and no such file exists."
                " Add `--config FILE`."
            )
        known = ", ".join(self.clusters) or "none"
        raise ConfigError(f"{self.file} has no cluster {name!r}. Its clusters: {known}.")


def find_config(flag: Path | None, environ: Mapping[str, str]) -> Path | None:
    """
    Return the configuration file's path; None without such a file.

    The order is: the flag, LOCKDOCTOR_CONFIG, ./lockdoctor.toml, the XDG config folder. Only the
    last two may be missing.
    """
    if named := flag or environ.get("LOCKDOCTOR_CONFIG"):
        return Path(named)
    xdg = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config"
    places = Path("lockdoctor.toml"), Path(xdg) / "lockdoctor" / "lockdoctor.toml"
    return next(filter(_is_there, places), None)


def _is_there(place: Path) -> bool:
    """
    Return whether a file exists; False if this user may not read its folder.

    With `sudo -u`, the current folder can be such a folder.
    """
    try:
        return place.is_file()
    except PermissionError:
        return False


def read_config(file: Path | None) -> Config:
    """
    Return the content of a configuration file; None is an empty one.

    Raises:
        ConfigError: The file cannot be read, or a line of it is invalid; the message names the
            line.
    """
    if file is None:
        return Config()
    top = read_file(file)
    top.only(("connection", "clusters", "prefix", "recipe", "accept"))
    clusters = top.table("clusters")
    return Config(
        file=file,
        connection=_connection(top.table("connection")),
        clusters={name: _connection(clusters.table(name)) for name in clusters.content},
        rules=_rules(top.tables("prefix")),
        recipes=_recipes(top.tables("recipe")),
        acceptances=tuple(map(_acceptance, top.tables("accept"))),
    )


def _connection(table: TomlTable) -> ConnectionValues:
    """Return a connection; its files are relative to the configuration file."""
    values = table.read(_CONNECTION)
    if "user" in values and "auth_token_file" in values:
        raise table.error(
            "auth_token_file", "user and auth_token_file exclude each other. Remove one"
        )
    for name in ("cacert", "cert", "key", "password_file", "auth_token_file"):
        if name in values:
            values[name] = str(table.file.parent / values[name])
    return cast("ConnectionValues", values)


def _rules(tables: list[TomlTable]) -> tuple[Rule, ...]:
    rules: dict[bytes, Rule] = {}
    for table in tables:
        rule = _rule(table)
        if rule.prefix in rules:
            raise table.error(None, "this prefix has an earlier [[prefix]]. Join the two")
        rules[rule.prefix] = rule
    return tuple(rules.values())


def _rule(table: TomlTable) -> Rule:
    values = table.read({**_PREFIX, **_TREAT})
    if ("prefix" in values) == ("prefix_hex" in values):
        raise table.error(None, "a [[prefix]] needs either prefix or prefix_hex. Write one of them")
    prefix = values.pop("prefix", None) or values.pop("prefix_hex", b"")
    if values.get("critical_hold_s", float("inf")) < values.get("max_hold_s", 0.0):
        raise table.error("critical_hold", "critical_hold is shorter than max_hold. Make it longer")
    given = {name: values.pop(name) for name, _ in _TREAT.values() if name in values}
    limits = cast("Limits", values)
    return Rule(prefix, limits, _treatment(table, given, prefix, limits) if given else None)


def _treatment(table: TomlTable, given: dict[str, Any], prefix: bytes, limits: Limits) -> Treatment:
    if "how" not in given:
        lone = next(key for key in table.content if key in _TREAT)
        raise table.error(lone, f"{lone} has no effect without treat. Add treat, or remove it")
    if not prefix:
        raise table.error("treat", "treat needs a prefix; this table is for every key. Add prefix")
    if limits.get("kind", Kind.LOCK) is not Kind.LOCK:
        raise table.error(
            "treat", "treat is for locks, but the kind is another. Remove one of them"
        )
    if "min_held_s" not in given:
        raise table.error(
            "treat", 'treat needs treat_min_held: the minimum hold. Add it, like "30m"'
        )
    if given["min_held_s"] < limits.get("max_hold_s", 0.0):
        raise table.error(
            "treat_min_held", "treat_min_held is shorter than max_hold. Make it longer"
        )
    return Treatment(**given)


def _recipes(tables: list[TomlTable]) -> tuple[LockRecipe, ...]:
    recipes: list[LockRecipe] = []
    for table in tables:
        table.only(OWN_FIELDS)
        taken = built_in().names | {recipe.name for recipe in recipes}
        try:
            recipes.append(own_recipe(table.content, taken))
        except DeclarationError as invalid:
            reason = f"{invalid.key}: {invalid}" if invalid.key else str(invalid)
            raise table.error(invalid.key, reason) from invalid
    return tuple(recipes)


def _acceptance(table: TomlTable) -> Acceptance:
    values = table.read(_ACCEPT)
    for key in ("verdict", "until", "reason"):
        if key not in values:
            raise table.error(None, f"an [[accept]] needs verdict, until and reason. Add {key}")
    subjects = [key for key in ("lock", "prefix", "key") if key in values]
    if values["verdict"] in OF_SESSIONS:
        if subjects:
            slug = values["verdict"].value
            raise table.error(subjects[0], f"{slug} is about leases without keys. Remove the key")
    elif len(subjects) != 1:
        raise table.error(
            None, "an [[accept]] needs one of lock, prefix and key. Write exactly one"
        )
    return Acceptance(where=table.place(), **values)


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError("must be a text in quotes, and not empty")
    return raw


def _texts(raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw:
        raise ValueError('must be a list of texts, like ["10.0.0.1:2379", "10.0.0.2:2379"]')
    return tuple(_text(item) for item in raw)


def _user(raw: Any) -> str:
    if ":" in _text(raw):
        # The value is not quoted: the text after the colon might be a password.
        raise ValueError("has a password. Write it into a file, and set password_file")
    return _text(raw)


def _duration(raw: Any) -> float:
    if isinstance(raw, str):
        return parse_duration(raw)
    raise ValueError('must be a duration in quotes, like "90s", "5m" or "1h30m"')


def _switch(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    raise ValueError("must be true or false, without quotes")


def _count(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
        raise ValueError("must be a whole number, 1 or more")
    return raw


def _runs(raw: Any) -> int:
    if _count(raw) < MIN_RUNS:
        raise ValueError(f"must be {MIN_RUNS} or more, because one run is too little proof")
    return int(raw)


def _kind(raw: Any) -> Kind:
    kinds = {kind.value: kind for kind in Kind if kind not in {Kind.UNKNOWN, Kind.DATA}}
    if not isinstance(raw, str) or raw not in kinds:
        raise ValueError(f"must be one of {', '.join(kinds)}")
    return kinds[raw]


def _finding(raw: Any) -> VerdictKind:
    kinds = {kind.value: kind for kind in VerdictKind if kind not in HARMLESS}
    if not isinstance(raw, str) or raw not in kinds:
        raise ValueError(f"must be one of {', '.join(kinds)}")
    return kinds[raw]


def _day(raw: Any) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    raise ValueError("must be a date without quotes, like 2026-12-31")


def _how(raw: Any) -> Action:
    ways = {way.value: way for way in (Action.REVOKE, Action.RELEASE, Action.QUARANTINE)}
    if not isinstance(raw, str) or raw not in ways:
        raise ValueError(f"must be one of {', '.join(ways)}")
    return ways[raw]


def _prefix(raw: Any) -> bytes:
    if isinstance(raw, str):
        return raw.encode()
    raise ValueError('must be a text in quotes, like "/my-lock/"')


def _prefix_hex(raw: Any) -> bytes:
    try:
        return bytes.fromhex(_text(raw))
    except ValueError as error:
        raise ValueError('must be hexadecimal digits in pairs, like "2f6d79"') from error


_CONNECTION: Schema = {
    "endpoints": ("endpoints", _texts),
    "cacert": ("cacert", _text),
    "cert": ("cert", _text),
    "key": ("key", _text),
    "user": ("user", _user),
    "password_file": ("password_file", _text),
    "auth_token_file": ("auth_token_file", _text),
    "insecure_skip_tls_verify": ("insecure_skip_tls_verify", _switch),
    "insecure_transport": ("insecure_transport", _switch),
    "discovery_srv": ("discovery_srv", _text),
    "discovery_srv_name": ("discovery_srv_name", _text),
    "insecure_discovery": ("insecure_discovery", _switch),
    "keepalive_time": ("keepalive_time_s", _duration),
    "keepalive_timeout": ("keepalive_timeout_s", _duration),
    "dial_timeout": ("dial_timeout_s", _duration),
    "command_timeout": ("command_timeout_s", _duration),
}
_PREFIX: Schema = {
    "prefix": ("prefix", _prefix),
    "prefix_hex": ("prefix_hex", _prefix_hex),
    "kind": ("kind", _kind),
    "max_hold": ("max_hold_s", _duration),
    "critical_hold": ("critical_hold_s", _duration),
    "max_wait": ("max_wait_s", _duration),
    "max_ttl": ("max_ttl_s", _duration),
    "max_idle_session": ("max_idle_session_s", _duration),
    "pile_up": ("pile_up", _count),
}
_ACCEPT: Schema = {
    "lock": ("lock", _prefix),
    "prefix": ("prefix", _prefix),
    "key": ("key", _prefix),
    "verdict": ("verdict", _finding),
    "until": ("until", _day),
    "reason": ("reason", _text),
}
_TREAT: Schema = {
    "treat": ("how", _how),
    "treat_min_held": ("min_held_s", _duration),
    "treat_min_runs": ("min_runs", _runs),
    "treat_max_per_run": ("max_per_run", _count),
    "treat_max_per_day": ("max_per_day", _count),
}
