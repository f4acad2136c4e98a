"""Make the virtual environment, once: `python scripts/install.py .venv [EXTRA]`.

The Makefile calls this when the stamp file of an extra is older than what it depends on. Two terminals may
do so at once: the second waits for the first. Must run on a bare Python, too old ones included, so that these
can be told what is missing.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
SOURCES = ("setup.cfg", "pyproject.toml", "scripts/install.py")


def fail(sentence):
    """Say what is wrong, and end with status 1."""
    print(sentence, file=sys.stderr)
    sys.exit(1)


def lock(path):
    """Hold the lock file `path` until this process ends; where files cannot be locked, do without."""
    file = open(path, "w")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except ImportError:
        pass
    return file


def fresh(stamp):
    """Whether the stamp file is newer than all it depends on."""
    if not os.path.exists(stamp):
        return False
    return all(os.path.getmtime(stamp) >= os.path.getmtime(source) for source in SOURCES)


def run(command, advice):
    """Run a command in silence; if it fails, show what it printed and the advice, and end."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        fail(advice)


def install(venv, extra):
    """Make `venv` if it is missing, and install this tree into it with `extra`."""
    stamp = os.path.join(venv, ".installed-" + extra if extra else ".installed")
    os.makedirs(venv, exist_ok=True)
    held = lock(os.path.join(venv, ".lock"))
    if not fresh(stamp):
        what = {"": "Tertulia", "web": "Tertulia and its gateway"}.get(extra, "Tertulia and the tools that check it")
        print("Installing %s into %s (the first time only, up to a minute) ..." % (what, venv), file=sys.stderr)
        python = os.path.join(venv, "bin", "python")
        if not os.path.exists(python):
            run(
                [sys.executable, "-m", "venv", venv],
                "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv",
            )
        target = ".[%s]" % extra if extra else "."
        run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", target],
            "The installation failed; see above. It needs a way to a Python package index.",
        )
        with open(stamp, "w"):
            pass
        if extra:
            with open(os.path.join(venv, ".installed"), "w"):
                pass
    held.close()


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        fail(
            "Tertulia needs Python %d.%d or newer, and %s is Python %d.%d.%d. If a newer one is installed:\n"
            "    make PYTHON=/path/to/python3" % (OLDEST + (sys.executable,) + tuple(sys.version_info[:3]))
        )
    install(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
