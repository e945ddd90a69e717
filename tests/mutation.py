"""Mutation testing of the policy engine and of money: change one thing at a time, and see whether a test notices.

    python -m tests.mutation [--sample 200] [--seed 1] [--module mailbot/policy/decide.py] [--jobs 2] [--afresh]

First every test runs once without a change, and it is noted which functions it calls. Each mutant then runs in a child
of its own with the tests that call its function, the quickest first, up to the first that fails. What was killed is
kept in ``.mutation.jsonl`` and not run again while the module's text is the same; what survives is printed.
"""

import argparse
import ast
import hashlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]
MODULES = sorted(
    str(path.relative_to(_ROOT))
    for path in (_ROOT / "mailbot/model/money.py", *(_ROOT / "mailbot/policy").glob("[a-z]*.py"))
)
TESTS = ["tests/policy", "tests/model/test_money.py", "tests/model/test_currencies.py"]
_KEPT = _ROOT / ".mutation.jsonl"
_AT_LEAST, _TIMES = 20, 5
"""A mutant's processor time ends after so many seconds and so many times what its tests took: it hangs."""
_MEMORY = 4 << 30
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
        function: the line of the function that it is in; ``None``: it runs as the module is read.
        at: the node's place in a walk through the tree, and which of its changes it is.
    """

    module: str
    line: int
    function: int | None
    what: str
    at: tuple[int, int]

    def tree(self) -> ast.Module:
        """The module's tree, with the change made."""
        tree = _parsed(self.module)
        place, which = self.at
        node = list(ast.walk(tree))[place]
        _, change = _changes(node)[which]
        change(node)
        return ast.fix_missing_locations(tree)


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module; types are left alone, mypy sees to them."""
    tree = _parsed(module)
    types = {id(node) for annotated in ast.walk(tree) for hint in _hints(annotated) for node in ast.walk(hint)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node): function for function in functions for node in _inside(function)}  # the innermost is last
    for place, node in enumerate(ast.walk(tree)):
        for which, (what, _) in enumerate(_changes(node) if id(node) not in types else []):
            function = inside.get(id(node))
            line = getattr(node, "lineno", 0)
            yield Mutant(
                module=module,
                line=line,
                function=None if function is None else function.lineno,
                what=what,
                at=(place, which),
            )


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def _hints(node: ast.AST) -> list[ast.expr]:
    match node:
        case (
            ast.AnnAssign(annotation=hint)
            | ast.arg(annotation=ast.expr() as hint)
            | ast.FunctionDef(returns=ast.expr() as hint)
        ):
            return [hint]
    return []


def _parsed(module: str) -> ast.Module:
    return ast.parse((_ROOT / module).read_text(encoding="utf-8"))


def _changes(node: ast.AST) -> list[tuple[str, Any]]:  # noqa: PLR0911 (one answer a kind of node)
    """What can be changed at a node: how it is told, and a function that does it."""
    match node:
        case ast.Compare(ops=ops):
            others = [(at, op, _COMPARED[type(op)]) for at, op in enumerate(ops) if type(op) in _COMPARED]
            return [(f"{type(op).__name__} -> {other.__name__}", _put(at, other())) for at, op, other in others]
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
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            return [("return -> return None", lambda twin: setattr(twin, "value", ast.Constant(None)))]
    return []


def _put(at: int, op: ast.cmpop) -> Callable[[ast.Compare], None]:
    return lambda twin: twin.ops.__setitem__(at, op)


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr | ast.List | ast.Constant) for side in (node.left, node.right)) and not (
        isinstance(node.left, ast.Constant) and isinstance(node.left.value, int)
    )


class _Instead(MetaPathFinder, Loader):
    """Gives other trees in place of the modules on disk, with names to use in them."""

    def __init__(self, trees: dict[str, ast.Module], **names: object) -> None:
        self._trees, self._names = {module[:-3].replace("/", "."): (module, trees[module]) for module in trees}, names

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname in self._trees else None

    def exec_module(self, module: ModuleType) -> None:
        place, tree = self._trees[module.__name__]
        module.__file__ = str(_ROOT / place)
        module.__dict__.update(self._names)
        exec(compile(tree, module.__file__, "exec"), module.__dict__)  # noqa: S102 (that is the point)


@dataclass(slots=True)
class Watched:
    """Which tests call which function, by its module and line, and how long they take; a plugin of pytest."""

    calls: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)
    _test: str = ""

    def start(self) -> None:
        """Have every function of the modules tell when it is called."""
        sys.meta_path.insert(0, _Instead({module: _telling(module) for module in MODULES}, _note=self._note))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note one test."""
        self._test, began = item.nodeid, time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[self._test], self._test = time.process_time() - began, ""

    def choose(self, mutant: Mutant) -> list[str]:
        """The tests that run a mutant's place, the quickest first."""
        called = set() if mutant.function is None else self.calls[mutant.module, mutant.function]
        chosen = self.seconds if mutant.function is None or "" in called else called
        return sorted(chosen, key=lambda test: (self.seconds[test], test))

    def _note(self, module: str, line: int) -> None:
        self.calls[module, line].add(self._test)


def _telling(module: str) -> ast.Module:
    tree = _parsed(module)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            told: list[ast.expr] = [ast.Constant(module), ast.Constant(node.lineno)]
            node.body.insert(0, ast.Expr(ast.Call(ast.Name("_note", ast.Load()), told, [])))
    return ast.fix_missing_locations(tree)


class _Chosen:
    """Keeps the chosen tests, in their order; a plugin of pytest."""

    def __init__(self, tests: list[str]) -> None:
        self._at = {test: at for at, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what was not chosen."""
        items[:] = sorted((item for item in items if item.nodeid in self._at), key=lambda item: self._at[item.nodeid])


def watch() -> Watched:
    """Run every test as the modules stand, in a child.

    Raises:
        SystemExit: one fails, so that they would prove nothing.
    """
    with tempfile.NamedTemporaryFile("w+", suffix=".json") as told:
        child = os.fork()
        if child == 0:
            watched = Watched()
            watched.start()
            code = _pytest(TESTS, watched)
            calls = [(place, sorted(tests)) for place, tests in watched.calls.items()]
            Path(told.name).write_text(json.dumps([calls, watched.seconds]), encoding="utf-8")
            os._exit(code)
        if os.waitpid(child, 0)[1] != 0:
            sys.exit("the tests fail as the modules stand, so that they would prove nothing")
        calls, seconds = json.loads(Path(told.name).read_text(encoding="utf-8"))
    watched = Watched(seconds=seconds)
    watched.calls.update({(module, line): set(tests) for (module, line), tests in calls})
    return watched


def is_killed(mutant: Mutant, watched: Watched) -> bool:
    """Whether a test notices; a test that no longer ends has noticed too."""
    tests = watched.choose(mutant)
    child = os.fork()
    if child == 0:
        until = int(_AT_LEAST + _TIMES * sum(watched.seconds[test] for test in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (until, until))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        sys.meta_path.insert(0, _Instead({mutant.module: mutant.tree()}))
        os._exit(_pytest(sorted({test.partition("::")[0] for test in tests}), _Chosen(tests)) if tests else 0)
    return os.waitpid(child, 0)[1] != 0


def _pytest(files: list[str], plugin: object) -> int:
    """In a child: run tests in silence, up to the first that fails."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.environ["MAILBOT_TEST_SEED"] = "1"
    options = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        f"--rootdir={_ROOT}",
    ]
    try:
        return int(pytest.main([*options, *(str(_ROOT / file) for file in files)], plugins=[plugin]))
    except BaseException:  # noqa: BLE001 (whatever it is, it was noticed)
        return 1


def _warm_up() -> None:
    """Import in the parent what other people wrote, once for all children; what is ours each child imports anew."""
    for name in ("hypothesis", "tests.servers.plugin", *(module[:-3].replace("/", ".") for module in MODULES)):
        import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"mailbot", "tests"}]:
        del sys.modules[name]


class _Kept:
    """What earlier runs have killed."""

    def __init__(self, *, afresh: bool) -> None:
        if afresh:
            _KEPT.unlink(missing_ok=True)
        self._hashes = {module: hashlib.sha256((_ROOT / module).read_bytes()).hexdigest() for module in MODULES}
        self._known = set(_KEPT.read_text(encoding="utf-8").splitlines()) if _KEPT.exists() else set()

    def __contains__(self, mutant: Mutant) -> bool:
        return self._line(mutant) in self._known

    def add(self, mutant: Mutant) -> None:
        with _KEPT.open("a", encoding="utf-8") as file:
            file.write(self._line(mutant) + "\n")

    def _line(self, mutant: Mutant) -> str:
        return json.dumps([mutant.module, self._hashes[mutant.module], mutant.at])


def main() -> None:
    """Make mutants, run them, and print what survives and the share that was killed."""
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("--sample", type=int, help="so many mutants by chance, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", choices=MODULES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--afresh", action="store_true", help="forget what earlier runs have killed")
    options = parser.parse_args()
    mutants = [mutant for module in options.module or MODULES for mutant in mutants_of(module)]
    every = len(mutants)
    if options.sample is not None and options.sample < every:
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    kept = _Kept(afresh=options.afresh)
    _warm_up()
    watched = watch()

    def run(mutant: Mutant) -> bool:
        if mutant in kept:
            return True
        killed = is_killed(mutant, watched)
        if killed:
            kept.add(mutant)
        return killed

    killed: dict[str, list[bool]] = defaultdict(list)
    with ThreadPoolExecutor(options.jobs) as pool:
        for mutant, noticed in zip(mutants, pool.map(run, mutants), strict=True):
            killed[mutant.module].append(noticed)
            if not noticed:
                sys.stdout.write(f"survived: {mutant.module}:{mutant.line}: {mutant.what}\n")
                sys.stdout.flush()
    for module, each in killed.items():
        sys.stdout.write(f"{module}: {sum(each)} of {len(each)}\n")
    total = sum(map(sum, killed.values()))
    share = f"{total} of {len(mutants)} mutants killed ({total / len(mutants):.1%})"
    sys.stdout.write(f"seed {options.seed}: {share}; {every} in all\n")


if __name__ == "__main__":
    main()
