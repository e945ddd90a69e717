"""Mutants: the modules of the policy engine and of money with one thing changed in each."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "mailbot/model/money.py", *(ROOT / "mailbot/policy").glob("[a-z]*.py"))
)
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
        tree = parsed(self.module)
        place, which = self.at
        node = list(ast.walk(tree))[place]
        _, change = _changes(node)[which]
        change(node)
        return ast.fix_missing_locations(tree)


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module; types are left alone, mypy sees to them, and ``dataclass(...)``: a test sees to it."""
    tree = parsed(module)
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
        case ast.ClassDef():
            return node.decorator_list
    return []


def parsed(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


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
