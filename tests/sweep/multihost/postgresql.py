"""A real PostgreSQL in a temporary folder, stopped and started as a test wants it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.sweep.ports import free_port

PASSWORD = "hush-dragon-7351"
USER = "postgres"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where there is no PostgreSQL."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


def missing() -> list[str]:
    """What this machine, or who runs the tests, lacks for a server."""
    lacks = ["PostgreSQL's programs"] if programs() is None else []
    if find_spec("psycopg") is None:
        lacks.append("the extra postgres")
    if os.getuid() == 0:  # the server must be somebody else's
        if USER not in {user.pw_name for user in pwd.getpwall()}:
            lacks.append(f"a user {USER}")
        if shutil.which("setpriv") is None:
            lacks.append("setpriv")
    return lacks


@dataclass
class Server:
    """``folder`` belongs to the user that runs it: PostgreSQL refuses to run as root."""

    folder: Path
    port: int

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=* -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Cutting off whoever is connected."""
        self._run("pg_ctl", "stop", "-w", "-m", "fast")

    def url(self, host: str, driver: str = "postgresql", password: str = PASSWORD) -> str:
        return f"{driver}://{USER}:{password}@{host}:{self.port}/{USER}"

    def make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        shutil.chown(secret, USER)
        arguments = ("-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
        self._run("initdb", *arguments)
        with (self.folder / "data/pg_hba.conf").open("a") as rules:
            rules.write("host all all 0.0.0.0/0 scram-sha-256\n")

    def _run(self, program: str, *arguments: str) -> None:
        bin_folder = programs()
        assert bin_folder is not None
        as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        line = [str(bin_folder / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(
            as_user + line if os.getuid() == 0 else line,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )


@contextmanager
def running() -> Iterator[Server]:
    """A server with an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql"))
    if os.getuid() == 0:
        shutil.chown(folder, USER, USER)
    server = Server(folder, free_port())
    try:
        server.make()
        server.start()
        yield server
    finally:
        if (folder / "data/postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)
