"""Mutation testing of the policy engine and of money: change one thing at a time, and see whether a test notices.

    python -m tests.mutation [--sample 200] [--seed 1] [--module mailbot/policy/decide.py] [--jobs 2]

Each mutant runs in a child of its own, with the tests of its module; what survives is printed with its place.
"""

import argparse
import ast
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]
_ENGINE = ["tests/policy/test_windows.py", "tests/policy/test_settlement.py", "tests/policy/test_guards.py"]
_ENGINE += ["tests/policy/test_rows.py", "tests/policy/test_trace.py", "tests/policy/test_decisions_by_chance.py"]
_FILE = ["tests/policy/test_policy_file.py", "tests/policy/test_changes.py"]
_CHECK = ["tests/policy/test_check.py"]
TESTS = {
    "mailbot/model/money.py": ["tests/model/test_money.py", "tests/model/test_currencies.py", *_ENGINE[1:2]],
    "mailbot/policy/conditions.py": [*_ENGINE, *_FILE],
    "mailbot/policy/decide.py": [*_ENGINE, *_CHECK],
    "mailbot/policy/settlement.py": _ENGINE,
    "mailbot/policy/fields.py": _FILE,
    "mailbot/policy/table.py": [*_FILE, *_CHECK],
    "mailbot/policy/examples.py": [*_FILE, *_CHECK],
    "mailbot/policy/versions.py": _FILE,
    "mailbot/policy/compare.py": _FILE,
    "mailbot/policy/lint.py": _FILE,
    "mailbot/policy/page.py": _FILE,
    "mailbot/policy/cutpoints.py": _CHECK,
    "mailbot/policy/regions.py": _CHECK,
    "mailbot/policy/check.py": _CHECK,
}
_SLOWEST = 240
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One changed place of one module.

    Attributes:
        at: the node's place in a walk through the tree, and which of its changes it is; ``None`` changes nothing.
    """

    module: str
    line: int
    what: str
    at: tuple[int, int] | None

    def tree(self) -> ast.Module:
        """The module's tree, with the change made."""
        tree = _parsed(self.module)
        if self.at is not None:
            place, which = self.at
            node = list(ast.walk(tree))[place]
            _, change = _changes(node)[which]
            change(node)
        return ast.fix_missing_locations(tree)


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    for place, node in enumerate(ast.walk(_parsed(module))):
        for which, (what, _) in enumerate(_changes(node)):
            yield Mutant(module=module, line=getattr(node, "lineno", 0), what=what, at=(place, which))


def _parsed(module: str) -> ast.Module:
    return ast.parse((_ROOT / module).read_text(encoding="utf-8"))


def _changes(node: ast.AST) -> list[tuple[str, Any]]:  # noqa: PLR0911 (one answer a kind of node)
    """What can be changed at a node: how it is told, and a function that does it."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARED:
            other = _COMPARED[type(op)]
            return [(f"{type(op).__name__} -> {other.__name__}", lambda twin: setattr(twin, "ops", [other()]))]
        case ast.BinOp(op=op) if type(op) in _RECKONED and not _is_text(node):
            other_op = _RECKONED[type(op)]
            return [(f"{type(op).__name__} -> {other_op.__name__}", lambda twin: setattr(twin, "op", other_op()))]
        case ast.BoolOp(op=ast.And()):
            return [("and -> or", lambda twin: setattr(twin, "op", ast.Or()))]
        case ast.BoolOp(op=ast.Or()):
            return [("or -> and", lambda twin: setattr(twin, "op", ast.And()))]
        case ast.UnaryOp(op=ast.Not()):
            return [("not x -> not not x", lambda twin: setattr(twin, "operand", ast.UnaryOp(ast.Not(), twin.operand)))]
        case ast.Constant(value=bool(value)):
            return [(f"{value} -> {not value}", lambda twin: setattr(twin, "value", not value))]
        case ast.Constant(value=int(value)):
            return [(f"{value} -> {value + 1}", lambda twin: setattr(twin, "value", value + 1))]
        case ast.IfExp():
            return [("if -> if not", lambda twin: setattr(twin, "test", ast.UnaryOp(ast.Not(), twin.test)))]
        case ast.Return(value=ast.expr()):
            return [("return -> return None", lambda twin: setattr(twin, "value", ast.Constant(None)))]
    return []


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr | ast.List | ast.Constant) for side in (node.left, node.right)) and not (
        isinstance(node.left, ast.Constant) and isinstance(node.left.value, int)
    )


class _Changed(MetaPathFinder, Loader):
    """Gives a mutant's module in place of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._mutant = mutant.module.removesuffix(".py").replace("/", "."), mutant

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(_ROOT / self._mutant.module)
        exec(compile(self._mutant.tree(), module.__file__, "exec"), module.__dict__)  # noqa: S102 (that is the point)


def is_killed(mutant: Mutant) -> bool:
    """Whether a test notices; a test that no longer ends has noticed too."""
    child = os.fork()
    if child == 0:
        _run(mutant)
    until = time.monotonic() + _SLOWEST
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status != 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return True


def _run(mutant: Mutant) -> None:
    """In the child: the tests of a mutant's module, with the mutant in its place. Never returns."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ["MAILBOT_TEST_SEED"] = "1"
    sys.meta_path.insert(0, _Changed(mutant))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
    try:
        code = int(pytest.main([*options, *(str(_ROOT / test) for test in TESTS[mutant.module])]))
    except BaseException:  # noqa: BLE001 (whatever it is, it was noticed)
        code = 1
    os._exit(code)


def main() -> None:
    """Make mutants, run them, and print what survives and the share that was killed."""
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("--sample", type=int, help="so many mutants by chance, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", choices=sorted(TESTS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    modules = options.module or list(TESTS)
    for module in modules:
        if is_killed(Mutant(module=module, line=0, what="nothing", at=None)):
            sys.exit(f"{module}: its tests fail as it stands, so that they would prove nothing")
    mutants = [mutant for module in modules for mutant in mutants_of(module)]
    every = len(mutants)
    if options.sample is not None and options.sample < every:
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    with ThreadPoolExecutor(options.jobs) as pool:
        killed = 0
        for mutant, noticed in zip(mutants, pool.map(is_killed, mutants), strict=True):
            killed += noticed
            if not noticed:
                sys.stdout.write(f"survived: {mutant.module}:{mutant.line}: {mutant.what}\n")
                sys.stdout.flush()
    share = f"{killed} of {len(mutants)} mutants killed ({killed / len(mutants):.1%})"
    sys.stdout.write(f"seed {options.seed}: {share}; {every} in all\n")


if __name__ == "__main__":
    main()
