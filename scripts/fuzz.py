"""Look for bytes of a card that confuse us, led by coverage (atheris).

`python -m scripts.fuzz [--seconds N | --runs N] [TARGET…]` tries every target of
`tests/lab/card_parsers.py` in a process of its own, begins with what our simulated
cards send, and keeps what it has learned in `.cache/fuzz`. Exit 1 if a target fell: the
bytes are beside the corpus, and `--again FILE TARGET` shows them to it once more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / ".cache" / "fuzz"
_SLOWEST = 10
"""Seconds one input may take."""
_MOST_MEGABYTES = 1024
_INSTRUMENTED = ["kiosk.cards", "kiosk.cli.card_keys"]
_NOT_LOOKED_FOR = ["kiosk.cards.simulated"]


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; return the exit code."""
    sys.path.insert(0, str(ROOT / "tests"))
    wanted = _parsed(arguments)
    if wanted.again is not None:
        return _again(wanted.targets, wanted.again)
    if wanted.child:
        _search(wanted.targets[0], wanted)
    names = wanted.targets or _names()
    fallen = [name for name in names if not _in_child(name, wanted)]
    print(
        f"{len(names) - len(fallen)} of {len(names)} stand", *fallen, sep="\n  fell: "
    )
    return 1 if fallen else 0


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument("--runs", type=int, default=0, help="inputs, not seconds")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--again", type=Path, metavar="FILE")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _names() -> list[str]:
    from lab.card_parsers import PARSERS

    return list(PARSERS)


def _again(targets: list[str], file: Path) -> int:
    """Show one input to the targets, with the whole traceback of what falls."""
    from lab.card_parsers import PARSERS, judge

    for name in targets or list(PARSERS):
        print(f"{name}: {judge(PARSERS[name], file.read_bytes())!r}")
    return 0


def _in_child(name: str, wanted: argparse.Namespace) -> bool:
    """Search one target in a process of its own; say whether it stands."""
    command = [sys.executable, "-m", "scripts.fuzz", "--child", name]
    command += ["--seconds", str(wanted.seconds), "--runs", str(wanted.runs)]
    command += ["--corpus", str(wanted.corpus)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    told = done.stdout.decode(errors="replace")
    is_standing = done.returncode == 0
    print(f"{name}: {_summary(told)}" if is_standing else told, flush=True)
    return is_standing


def _summary(told: str) -> str:
    """Return how many inputs were tried, out of what libFuzzer prints at its end."""
    numbers = dict(
        line.removeprefix("stat::").split(":", 1)
        for line in told.splitlines()
        if line.startswith("stat::")
    )
    return f"{numbers.get('number_of_executed_units', '?').strip()} inputs"


def _search(name: str, wanted: argparse.Namespace) -> None:
    """Search until the time is over. Ends the process."""
    import atheris

    with atheris.instrument_imports(_INSTRUMENTED, _NOT_LOOKED_FOR):
        from lab.card_parsers import PARSERS, judge
    parser = PARSERS[name]
    corpus = wanted.corpus / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(parser.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limit = (
        f"-runs={wanted.runs}" if wanted.runs else f"-max_total_time={wanted.seconds}"
    )
    options = [
        f"-max_len={parser.longest}",
        f"-timeout={_SLOWEST}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-artifact_prefix={corpus}-",
        "-print_final_stats=1",
        limit,
    ]
    atheris.Setup(
        [sys.argv[0], *options, str(corpus)], lambda data: judge(parser, data)
    )
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
