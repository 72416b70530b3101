"""The files that run `lockdoctor check`: each line of them is one that its reader accepts."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from lockdoctor.cli import main
from lockdoctor.cli.config import file as config
from lockdoctor.cli.config.file import read_config
from lockdoctor.cli.options.groups import Job
from lockdoctor.cli.options.run import OutputFormat
from lockdoctor.domain.recipes.declaration import OWN_FIELDS
from tests.docs.operating import PROGRAM, cron_command, statements, text, unit
from tests.docs.pages import OPERATING, arguments

HISTORY = "/var/lib/lockdoctor/history.sqlite3"


def accepted(words: list[str]) -> dict[str, Any]:
    """Parse what stands behind `lockdoctor`, and give the options that were given."""
    parsed = main._parse(words)
    assert words[0] == "check"
    groups = getattr(parsed, "keywords", {})
    assert groups, "the command would only print something"
    return {name: value for group in groups.values() for name, value in vars(group).items()}


def test_a_flag_that_is_not_there_is_noticed() -> None:
    """What the tests below rest on: a file with a flag of yesterday does not pass."""
    with pytest.raises(Exception, match="No such option"):
        accepted(["check", "--silent"])


def test_cron() -> None:
    """Variables first, then one line: when, who, and a command that mails only what is wrong."""
    *variables, line = statements("lockdoctor.cron")
    environ = dict(variable.split("=", 1) for variable in variables)

    assert line.split()[:6] == ["*/5", "*", "*", "*", "*", "lockdoctor"]
    assert "%" not in line, "cron takes it for a line break"
    (words,) = arguments(cron_command())
    assert accepted(words)["quiet"] is True
    assert f"{environ['XDG_STATE_HOME']}/lockdoctor/history.sqlite3" == HISTORY
    assert environ["LOCKDOCTOR_CONFIG"] == "/etc/lockdoctor/lockdoctor.toml"


def test_systemd_runs_what_is_there() -> None:
    """The command of the unit and of the drop-in, and the folder of the history."""
    service = unit("lockdoctor-check.service")["Service"]
    drop_in = unit("lockdoctor-check.service.d/textfile.conf")["Service"]
    for command in (service["ExecStart"], drop_in["ExecStart"]):
        program, *words = shlex.split(command)
        assert program == PROGRAM
        options = accepted(words)

    assert options["textfile"].parent == Path(drop_in["ReadWritePaths"])
    assert service["StateDirectory"] == "lockdoctor"
    assert "ExecStart=\n" in text("lockdoctor-check.service.d/textfile.conf"), "or both would run"
    assert float(service["TimeoutStartSec"]) > options["timeout_s"]


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """Without a word of complaint; and it would complain of what it does not know."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    program = tmp_path / "lockdoctor"
    program.write_text("#!/bin/sh\n")
    program.chmod(stat.S_IRWXU)
    names = ("lockdoctor-check.service", "lockdoctor-check.timer")
    for name in (*names, "lockdoctor-check.service.d/textfile.conf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text(name).replace(PROGRAM, str(program)))

    assert complaints(*(tmp_path / name for name in names)) == ""
    drop_in = tmp_path / "lockdoctor-check.service.d" / "textfile.conf"
    drop_in.write_text(drop_in.read_text().replace("ReadWritePaths", "ReadWritePath"))
    assert "ReadWritePath" in complaints(tmp_path / names[0])


def complaints(*units: Path) -> str:
    """What systemd says of units of ours; of the machine's own it may say more."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "".join(line for line in done.stderr.splitlines(True) if "lockdoctor" in line)


def test_the_timer_starts_the_service() -> None:
    """By its name, every five minutes."""
    timer = unit("lockdoctor-check.timer")

    assert "Unit" not in timer["Timer"], "the service of the same name"
    assert timer["Timer"]["OnCalendar"] == "*:0/5"
    assert timer["Install"]["WantedBy"] == "timers.target"


def kinds() -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(text("cronjob.yaml"))}


def test_kubernetes_would_take_every_field() -> None:
    """Each object has the fields of its kind and no others, of the right types."""
    schema = json.loads(Path(__file__).with_name("kubernetes.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    for kind, document in kinds().items():
        Draft202012Validator({"$ref": f"#/$defs/{kind}", **schema}).validate(document)


def test_the_job_finds_what_it_mounts() -> None:
    """Volumes, their sources, the files that the configuration names, and the history."""
    found = kinds()
    pod = found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    options = accepted(container["args"])
    state = {entry["name"]: entry["value"] for entry in container["env"]}["XDG_STATE_HOME"]

    assert container["command"] == ["lockdoctor"]
    assert mounts.keys() == volumes.keys()
    assert volumes["config"]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert volumes["etcd-password"]["secret"]["secretName"] == found["Secret"]["metadata"]["name"]
    claim = found["PersistentVolumeClaim"]["metadata"]["name"]
    assert volumes["history"]["persistentVolumeClaim"]["claimName"] == claim
    assert mounts["history"] == str(Path(state) / "lockdoctor")
    assert options["config"].parent == Path(mounts["config"])
    assert options["config"].name in found["ConfigMap"]["data"]


def test_the_configuration_of_the_job_is_one(tmp_path: Path) -> None:
    """It is read, and its files lie where the job mounts them."""
    found = kinds()
    file = tmp_path / "lockdoctor.toml"
    file.write_text(found["ConfigMap"]["data"]["lockdoctor.toml"])
    connection = read_config(file).connection

    assert Path(connection["cacert"]).parent == Path("/etc/etcd-tls")
    password = Path(connection["password_file"])
    assert password.parent == Path("/etc/etcd-password")
    assert password.name in found["Secret"]["stringData"]


def test_nagios() -> None:
    """The command line, with what Nagios puts into it, and a service that runs it."""
    written = text("nagios-command.cfg")
    (line,) = re.findall(r"^\s*command_line\s+(.*)$", written, re.MULTILINE)
    (name,) = re.findall(r"^\s*command_name\s+(\S+)$", written, re.MULTILINE)
    (call,) = re.findall(r"^\s*check_command\s+(\S+)$", written, re.MULTILINE)
    command, *values = call.split("!")
    for number, value in enumerate(values, start=1):
        line = line.replace(f"$ARG{number}$", value)
    program, *words = shlex.split(line)
    options = accepted(words)

    assert command == name
    assert program == PROGRAM
    assert options["prefix"] == ["/my-lock/"]
    assert str(options["history"]) == HISTORY
    assert "$" not in line
    assert written.count("define ") == written.count("\n}") == 2


def test_icinga() -> None:
    """Every argument is a flag, and every macro one that is set or can be left out."""
    written = re.sub(r"//.*", "", text("icinga2-command.conf"))
    (command,) = re.findall(r"^  command = \[(.*)\]$", written, re.MULTILINE)
    program, *first = re.findall(r'"([^"]+)"', command)
    flags = re.findall(r'^    "(-[^"]+)" = \{\n      value = "\$(\w+)\$"$', written, re.MULTILINE)
    macros = dict.fromkeys((macro for _, macro in flags), "waiters=5")
    words = [word for flag, macro in flags for word in (flag, macros[macro])]
    options = accepted([*first, *words])

    assert program == PROGRAM
    assert len(flags) == written.count("value =") == 6
    assert options["warning"] == options["critical"] == ["waiters=5"]
    assert set(re.findall(r"vars\.(\w+) =", written)) <= macros.keys()
    assert f'vars.lockdoctor_history = "{HISTORY}"' in written
    (timeout,) = re.findall(r"timeout = (\d+)s", written)
    assert float(timeout) > options["timeout_s"]
    assert written.count("{") == written.count("}")


def test_the_whole_configuration_is_read_and_has_every_key() -> None:
    """Each key that may stand in a table of the file stands there, and is understood."""
    file = OPERATING / "lockdoctor.toml"
    read = read_config(file)

    keys = {*config._CONNECTION, *config._PREFIX, *config._ACCEPT, *OWN_FIELDS}
    written = set(re.findall(r"^(\w+) =", file.read_text(), re.MULTILINE))
    assert written == keys
    assert read.cluster("staging")["endpoints"] == ("http://10.0.0.5:2379",)
    assert len(read.acceptances) == 3


@pytest.mark.parametrize("words", [["scan"], ["scan", "--format", OutputFormat.JSON.value]])
def test_a_job_carries_its_options(words: list[str]) -> None:
    """What accepted() reads them from."""
    parsed: Job = main._parse(words)

    assert "targets" in getattr(parsed, "keywords", {})
