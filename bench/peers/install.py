"""Installs the benchmark's peers into a folder outside the repository; says why of those that cannot be."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
ASKAR = "aries-askar==0.4.6"  # its wheel carries the very library that askar-nodejs 0.4.3 would fetch from GitHub
SECONDS = 600
PROGRAMS = {
    "verify_sdjwt_js": ("js", "verify_sdjwt_js.mjs"),
    "serve_fastify": ("js", "serve_fastify.mjs"),
    "verify_credo": ("credo", "credo/verify.mjs"),
    "issuer_credo": ("credo", "credo/issuer.mjs"),
    "holder": ("node", "credo/holder.mjs"),
    "verify_sdjwt_py": ("python", "verify_sdjwt_py.py"),
    "serve_fastapi": ("python", "serve_fastapi.py"),
    "sign_verify_acapy": ("acapy", "sign_verify_acapy.py"),
}


def install(scratch: Path) -> dict[str, Path | str]:
    """Install each peer unless it is there; by peer, what runs it (Python's or Node's binary) or why nothing does."""
    scratch = scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path | str] = {"node": _attempt(_node)}
    node = found["node"]
    if isinstance(node, Path):
        found["js"] = _attempt(lambda: _install_js(scratch, node))
        found["credo"] = _attempt(lambda: _install_credo(scratch, node))
    else:
        found |= dict.fromkeys(("js", "credo"), node)
    found["python"] = _attempt(lambda: _install_venv(scratch, "python", "import fastapi, httptools, sd_jwt, uvloop"))
    found["acapy"] = _attempt(lambda: _install_venv(scratch, "acapy", "import aries_cloudagent.wallet.sd_jwt"))
    return found


def command(scratch: Path, found: dict[str, Path | str], program: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return the words and the environment that run one of `PROGRAMS`; raises `LookupError` if its peer is missing."""
    peer, script = PROGRAMS[program]
    runner = found[peer]
    if isinstance(runner, Path):
        place = scratch.resolve() / "js" if peer in ("js", "credo") else HERE  # Node finds packages beside the script
        return [str(runner), str(place / script), *words], _environment(scratch.resolve())
    raise LookupError(f"{program}: {runner}")


def _environment(scratch: Path) -> dict[str, str]:
    return os.environ | {"LIB_ASKAR_PATH": str(scratch / "askar" / "aries_askar"), "PYTHONDONTWRITEBYTECODE": "1"}


def _attempt(work: Callable[[], Path]) -> Path | str:
    try:
        return work()
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        return f"{' '.join(map(str, error.cmd[:4]))}: {' / '.join(said[-5:]) or f'ended with {error.returncode}'}"
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)


def _node() -> Path:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise RuntimeError("node and npm are not installed")
    major = int(_run(node, "--version").strip().lstrip("v").split(".")[0])
    if major < 20:
        raise RuntimeError(f"needs Node 20 or later, this is {major}")
    return Path(node)


def _install_js(scratch: Path, node: Path) -> Path:
    place = scratch / "js"
    _copy(HERE, place)
    with _Once(place, "package-lock.json") as needed:
        if needed:
            _run("npm", "ci", "--silent", cwd=place)
            _run(str(node), "--input-type=module", "-e", "import './sdjwt.mjs'; import 'fastify'", cwd=place)
    return node


def _install_credo(scratch: Path, node: Path) -> Path:
    place = scratch / "js" / "credo"
    _copy(HERE, scratch / "js")
    _copy(HERE / "credo", place)
    with _Once(place, "package-lock.json") as needed:
        if needed:
            # The install script of askar-nodejs fetches a library from GitHub: PyPI has it too. The two packages that
            # call it from Node are compiled here, against Node's headers (its own, if it came with them).
            _run("npm", "ci", "--silent", "--ignore-scripts", cwd=place)
            headers = node.resolve().parent.parent
            own = {"npm_config_nodedir": str(headers)} if (headers / "include/node/node_api.h").exists() else {}
            _run("npm", "rebuild", "--silent", "@2060.io/ref-napi", "@2060.io/ffi-napi", cwd=place, env=own)
            _pip(Path(sys.executable), "--no-deps", "--upgrade", "--target", str(scratch / "askar"), ASKAR)
            _run(str(node), "--input-type=module", "-e", "import './agent.mjs'", cwd=place, env=_environment(scratch))
    return node


def _install_venv(scratch: Path, name: str, probe: str) -> Path:
    place, wanted = scratch / name, f"requirements-{name}.txt"
    place.mkdir(exist_ok=True)
    shutil.copyfile(HERE / wanted, place / wanted)
    python = place / "venv" / "bin" / "python"
    with _Once(place, wanted) as needed:
        if needed:
            _run(sys.executable, "-m", "venv", "--clear", str(place / "venv"))
            _pip(python, "-r", str(place / wanted))
            _run(str(python), "-c", probe)
    return python


class _Once:
    """Tells whether a folder is to be filled: not if it was, from the same list of versions."""

    def __init__(self, place: Path, listed: str) -> None:
        self._stamp = place / "installed"
        self._wanted = hashlib.sha256((place / listed).read_bytes()).hexdigest()

    def __enter__(self) -> bool:
        return not (self._stamp.exists() and self._stamp.read_text(encoding="ascii") == self._wanted)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._stamp.write_text(self._wanted, encoding="ascii")


def _copy(here: Path, there: Path) -> None:
    there.mkdir(parents=True, exist_ok=True)
    for one in [*here.glob("*.mjs"), *here.glob("package*.json"), here / ".npmrc"]:
        shutil.copyfile(one, there / one.name)


def _pip(python: Path, *words: str) -> None:
    _run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *words)


def _run(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    return subprocess.run(
        words, cwd=cwd, env=os.environ | (env or {}), capture_output=True, text=True, check=True, timeout=SECONDS
    ).stdout


if __name__ == "__main__":
    for peer, told in install(Path(sys.argv[1])).items():
        print(f"{peer:<8}{told}")
