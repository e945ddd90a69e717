"""Mutation testing of the policy engine and of money: change one thing at a time, and see whether a test notices.

    python -m tests.mutation [--sample 200] [--seed 1] [--module mailbot/policy/decide.py] [--jobs 2] [--afresh]

First every test runs once without a change, and it is noted which functions it calls. Each mutant then runs in a child
of its own with the tests that call its function, the quickest first, up to the first that fails. What was killed is
kept in ``.mutation.jsonl`` and not run again while the module's text is the same; what survives is printed.
"""

import argparse
import ast
import functools
import gc
import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.main import pytest_runtestloop

from tests.mutants import MODULES, ROOT, Mutant, mutants_of, parsed

TESTS = ["tests/policy", "tests/model/test_money.py", "tests/model/test_currencies.py"]
_KEPT = ROOT / ".mutation.jsonl"
_AT_LEAST, _TIMES = 10, 4
"""A mutant's processor time ends after so many seconds and so many times what its tests took: it hangs."""
_MEMORY = 4 << 30
_NOT_MADE = 77

Function = tuple[str, int, str]
"""A function by its file, line and name."""


@dataclass(slots=True)
class Watched:
    """Which tests call which function, by its module and line, and how long they take; a plugin of pytest.

    Attributes:
        longest: tests that take more seconds are left out: what then survives is run again with all of them.
    """

    calls: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)
    longest: float = float("inf")
    _test: str = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note one test."""
        self._test, began = item.nodeid, time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[self._test] = time.process_time() - began

    def note(self, module: str, line: int) -> None:
        """Note that the present test calls a function."""
        self.calls[module, line].add(self._test)

    def choose(self, mutant: Mutant) -> list[str]:
        """The tests that run a mutant's place, the quickest first."""
        chosen = self.seconds if mutant.function is None else self.calls[mutant.module, mutant.function]
        quick = [test for test in chosen if self.seconds[test] <= self.longest]
        return sorted(quick, key=lambda test: (self.seconds[test], test))

    def write(self, path: Path) -> None:
        """Hand it to another process."""
        calls = [(place, sorted(tests)) for place, tests in self.calls.items()]
        path.write_text(json.dumps([calls, self.seconds]), encoding="utf-8")

    def read(self, path: Path) -> None:
        """Take it from another process."""
        calls, self.seconds = json.loads(path.read_text(encoding="utf-8"))
        self.calls.update({(module, line): set(tests) for (module, line), tests in calls})


class _InFunctions:
    """Runs mutants of functions: the tests are collected once, and each child changes the function; a plugin of pytest.

    Attributes:
        take: is told of each mutant whether it was killed.
    """

    def __init__(
        self, mutants: Sequence[Mutant], watched: Watched, jobs: int, take: Callable[[Mutant, bool], None]
    ) -> None:
        self._mutants, self._watched, self._jobs, self._take = mutants, watched, jobs, take

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of the one run of all tests."""
        items = {item.nodeid: item for item in session.items}
        with tempfile.NamedTemporaryFile(suffix=".json") as told:
            if _child(lambda: self._watch(session, Path(told.name)))():
                session.shouldfail = "the tests fail as the modules stand, so that they would prove nothing"
                raise session.Failed(session.shouldfail)
            self._watched.read(Path(told.name))

        def run(mutant: Mutant) -> Callable[[], int]:
            tests = self._watched.choose(mutant)
            return _child(lambda: self._run(session, mutant, [items[test] for test in tests]))

        _side_by_side(run, self._mutants, self._jobs, self._take)
        return True

    def _watch(self, session: pytest.Session, path: Path) -> int:
        session.config.pluginmanager.register(self._watched)
        for module in MODULES:
            tree = parsed(module)
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef):
                    told: list[ast.expr] = [ast.Constant(module), ast.Constant(node.lineno)]
                    node.body.insert(0, ast.Expr(ast.Call(ast.Name("_note", ast.Load()), told, [])))
            for function in _put_in_place(module, ast.fix_missing_locations(tree)):
                function.__globals__["_note"] = self._watched.note
        code = _run_all(session)
        self._watched.write(path)
        return code

    def _run(self, session: pytest.Session, mutant: Mutant, items: list[pytest.Item]) -> int:
        _limit(sum(self._watched.seconds[item.nodeid] for item in items))
        if not _put_in_place(mutant.module, mutant.tree()):
            return _NOT_MADE
        session.items = items
        return _run_all(session)


def _run_all(session: pytest.Session) -> int:
    try:
        pytest_runtestloop(session)
    except session.Failed:
        return 1
    return int(session.testsfailed > 0)


def _put_in_place(module: str, tree: ast.Module) -> list[FunctionType]:
    """Give a module's functions the code of a tree where it differs, and have them forget what they remember."""
    file = str(ROOT / module)
    codes = {_key(code): code for code in _codes(compile(tree, file, "exec"))}
    changed = []
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == file:
            code = codes[_key(thing.__code__)]
            if code != thing.__code__:
                thing.__code__ = code
                changed.append(thing)
        elif isinstance(thing, functools._lru_cache_wrapper):
            thing.cache_clear()
    return changed


def _key(code: CodeType) -> Function:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


class _Instead(MetaPathFinder, Loader):
    """Gives a mutant's module in place of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._mutant = mutant.module.removesuffix(".py").replace("/", "."), mutant

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(ROOT / self._mutant.module)
        exec(compile(self._mutant.tree(), module.__file__, "exec"), module.__dict__)  # noqa: S102 (that is the point)


class _Chosen:
    """Keeps chosen tests, in their order; a plugin of pytest."""

    def __init__(self, tests: list[str]) -> None:
        self._at = {test: at for at, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the quickest first."""
        items[:] = sorted((item for item in items if item.nodeid in self._at), key=lambda item: self._at[item.nodeid])


def _as_it_is_read(mutant: Mutant, watched: Watched) -> Callable[[], int]:
    """Run a mutant of what a module does when it is read."""

    def run() -> int:
        _limit(sum(watched.seconds.values()))
        sys.meta_path.insert(0, _Instead(mutant))
        return _pytest(_Chosen(watched.choose(mutant)))

    return _child(run)


def _limit(seconds: float) -> None:
    until = int(_AT_LEAST + _TIMES * seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (until, until))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _child(work: Callable[[], int]) -> Callable[[], int]:
    """Do work in a silent child; gives what waits for its exit status. What breaks the work has been noticed."""
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        try:
            code = work()
        except BaseException:  # noqa: BLE001 (whatever it is, it was noticed)
            code = 1
        os._exit(code)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _side_by_side(
    start: Callable[[Mutant], Callable[[], int]],
    mutants: Sequence[Mutant],
    jobs: int,
    take: Callable[[Mutant, bool], None],
) -> None:
    under_way: list[tuple[Mutant, Callable[[], int]]] = []
    for mutant in (*mutants, *[None] * jobs):
        if under_way and (mutant is None or len(under_way) == jobs):
            done, status = under_way.pop(0)
            code = status()
            if code == _NOT_MADE:
                raise AssertionError(f"{done} changes no function")
            take(done, code != 0)
        if mutant is not None:
            under_way.append((mutant, start(mutant)))


def _pytest(plugin: object) -> int:
    os.environ["MAILBOT_TEST_SEED"] = "1"
    plugins = [option for name in ("cacheprovider", "xdist", "randomly") for option in ("-p", f"no:{name}")]
    options = ["-x", "-q", "--assert=plain", *plugins, f"--rootdir={ROOT}"]
    return int(pytest.main([*options, *(str(ROOT / file) for file in TESTS)], plugins=[plugin]))


def _warm_up() -> None:
    """Import in the parent what other people wrote, once for all children; what is ours each child imports anew."""
    for name in ("hypothesis", "tests.servers.plugin", *(module[:-3].replace("/", ".") for module in MODULES)):
        import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"mailbot", "tests"}]:
        del sys.modules[name]


class _Books:
    """What was killed, now and in earlier runs, and what survived."""

    def __init__(self, *, afresh: bool) -> None:
        if afresh:
            _KEPT.unlink(missing_ok=True)
        self._hashes = {module: hashlib.sha256((ROOT / module).read_bytes()).hexdigest() for module in MODULES}
        self._known = self._read()

    def _read(self) -> set[str]:
        return set(_KEPT.read_text(encoding="utf-8").splitlines()) if _KEPT.exists() else set()

    def __contains__(self, mutant: Mutant) -> bool:
        return self._line(mutant) in self._known

    def take(self, mutant: Mutant, killed: bool) -> None:  # noqa: FBT001 (a finding, no switch)
        """Note what became of a mutant, whichever process ran it."""
        if killed:
            with _KEPT.open("a", encoding="utf-8") as file:
                file.write(self._line(mutant) + "\n")
        else:
            os.write(self._tell, f"survived: {mutant.module}:{mutant.line}: {mutant.what}\n".encode())

    _tell = os.dup(1)

    def share(self, mutants: Sequence[Mutant]) -> str:
        """How many were killed, by module and in all."""
        self._known = self._read()
        killed: dict[str, list[bool]] = defaultdict(list)
        for mutant in mutants:
            killed[mutant.module].append(mutant in self)
        lines = [f"{module}: {sum(each)} of {len(each)}" for module, each in killed.items()]
        total = sum(map(sum, killed.values()))
        return "\n".join([*lines, f"{total} of {len(mutants)} mutants killed ({total / len(mutants):.1%})"])

    def _line(self, mutant: Mutant) -> str:
        return json.dumps([mutant.module, self._hashes[mutant.module], mutant.at])


def main() -> None:
    """Make mutants, run them, and print what survives and the share that was killed."""
    parser = argparse.ArgumentParser(prog="tests.mutation")
    parser.add_argument("--sample", type=int, help="so many mutants by chance, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--module", action="append", choices=MODULES)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--longest", type=float, default=float("inf"), help="leave out tests of more seconds than that")
    parser.add_argument("--afresh", action="store_true", help="forget what earlier runs have killed")
    options = parser.parse_args()
    mutants = [mutant for module in options.module or MODULES for mutant in mutants_of(module)]
    every = len(mutants)
    if options.sample is not None and options.sample < every:
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    books, watched = _Books(afresh=options.afresh), Watched(longest=options.longest)
    left = [mutant for mutant in mutants if mutant not in books]
    _warm_up()
    with tempfile.NamedTemporaryFile(suffix=".json") as told:

        def functions() -> int:
            inside = [mutant for mutant in left if mutant.function is not None]
            code = _pytest(_InFunctions(inside, watched, options.jobs, books.take))
            watched.write(Path(told.name))
            return code

        if _child(functions)():
            sys.exit("the tests fail as the modules stand, so that they would prove nothing")
        watched.read(Path(told.name))
    outside = [mutant for mutant in left if mutant.function is None]
    _side_by_side(lambda mutant: _as_it_is_read(mutant, watched), outside, options.jobs, books.take)
    sys.stdout.write(f"{books.share(mutants)}; seed {options.seed}, {every} in all\n")


if __name__ == "__main__":
    main()
