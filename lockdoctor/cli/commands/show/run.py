"""Runs `show`: settings, the run, the page and its copies in files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lockdoctor.cli.commands.show.explain_kind import run_explain_kind
from lockdoctor.cli.commands.show.options import ShowFlags
from lockdoctor.cli.config.file import find_config, read_config
from lockdoctor.cli.exit_codes import ExitStatus, scan_status
from lockdoctor.cli.options.connection import ConfigFlags, ConnectionFlags
from lockdoctor.cli.options.limits import LimitFlags
from lockdoctor.cli.options.run import HistoryFlags, OutputFormat
from lockdoctor.cli.runtime.run import MARGIN_S, RunDependencies, examine, history_path, settings_of
from lockdoctor.cli.runtime.terminal import width, write_page, write_to
from lockdoctor.domain.model.leases import lease_id_of
from lockdoctor.domain.policy.policy import Policy
from lockdoctor.errors import ConfigError, NotFoundError
from lockdoctor.outputs import file_kinds
from lockdoctor.outputs import html as pictures
from lockdoctor.outputs.files import require_place, write_file
from lockdoctor.outputs.json.report import JsonOutput
from lockdoctor.outputs.table.show import show_parts
from lockdoctor.outputs.text.values import printable
from lockdoctor.own_files import FileKind
from lockdoctor.workflows.show import ShowRequest, ShowTarget, show

PICTURES = {file_kinds.HTML: pictures.html, file_kinds.SVG: pictures.svg}


def run_show(
    flags: ShowFlags,
    history: HistoryFlags,
    limits: LimitFlags,
    connection: ConnectionFlags,
    config: ConfigFlags,
) -> ExitStatus:
    """
    Watch one lock or lease, and print its page.

    Raises:
        LockdoctorError: In one sentence, before anything was printed.
    """
    file = read_config(find_config(config.config, os.environ))
    name = os.fsencode(flags.subject)  # the exact bytes of the command line
    if not name:
        raise ConfigError("No name given. Add the name of a lock, a key or a lease.")
    files = [
        (kind, path)
        for kind, path in ((file_kinds.HTML, flags.html), (file_kinds.SVG, flags.svg))
        if path is not None
    ]
    for kind, path in files:
        require_place(path, kind)
    policy = Policy(rules=file.rules, overrides=limits.limits(), recipes=file.book)
    if flags.explain_kind:
        if files:
            raise ConfigError("--explain-kind writes no file: leave out --html and --svg.")
        settings = settings_of(connection, config.cluster, file, os.environ)
        return run_explain_kind(settings, name, policy, flags.format)
    request = ShowRequest(
        subject=ShowTarget(name=name, lease_id=lease_id_of(flags.subject)),
        policy=policy,
        window_s=flags.window_s,
    )
    means = RunDependencies(history=history_path(history, os.environ), acceptances=file.acceptances)
    settings = settings_of(connection, config.cluster, file, os.environ)
    try:
        examined = examine(settings, request, means, flags.window_s + MARGIN_S, show)
    except NotFoundError as missing:
        raise NotFoundError(
            f"No lease, key or lock named {printable(name)} exists now."
            f" For earlier runs: `lockdoctor history show {printable(name)}`"
        ) from missing
    report = examined.report
    for kind, path in files:
        _write_picture(path, kind, PICTURES[kind](show_parts(report, pictures.WIDTH)))
    if flags.format == OutputFormat.JSON:
        write_to(sys.stdout, "the page", lambda out: JsonOutput().render(report, out))
    else:
        write_page(show_parts(report, width()), "the page")
    return scan_status(report, by_signal=examined.by_signal)


def _write_picture(path: Path, kind: FileKind, picture: str) -> None:
    write_file(path, kind, lambda out: out.write(picture))
