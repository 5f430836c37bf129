"""The stubs say what the module has, no more and no less."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import anyplace
from anyplace import _core

STUBS = ast.parse(Path(anyplace.__file__).with_name("_core.pyi").read_text())
CLASSES = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}
FUNCTIONS = {node.name: node for node in STUBS.body if isinstance(node, ast.FunctionDef)}


def methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}


def parameters(node: ast.FunctionDef) -> list[str]:
    """The names as `inspect` spells them, without the first of a method."""
    spec = node.args
    names = [argument.arg for argument in [*spec.posonlyargs, *spec.args]]
    names += [f"*{spec.vararg.arg}"] if spec.vararg else []
    names += [argument.arg for argument in spec.kwonlyargs]
    names += [f"**{spec.kwarg.arg}"] if spec.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


def of_signature(thing: object) -> list[str]:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = inspect.signature(thing).parameters.values()  # type: ignore[arg-type]
    return [stars.get(parameter.kind, "") + parameter.name for parameter in found if parameter.name != "self"]


def test_the_stubs_name_what_the_module_has() -> None:
    public = {name for name in vars(_core) if not name.startswith("__")}
    assert public == set(CLASSES) | set(FUNCTIONS)


@pytest.mark.parametrize("name", CLASSES)
def test_the_stubs_name_what_a_class_has(name: str) -> None:
    members = {member for member in vars(getattr(_core, name)) if not member.startswith("__")}
    assert members == {member for member in methods(CLASSES[name]) if not member.startswith("__")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_what_the_stubs_say(name: str) -> None:
    assert of_signature(getattr(_core, name)) == parameters(FUNCTIONS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_methods_take_what_the_stubs_say(name: str) -> None:
    for method, node in methods(CLASSES[name]).items():
        # What begins with two underscores may be a slot of the class, and no method before a later Python.
        thing = None if method.startswith("__") else vars(getattr(_core, name))[method]
        if callable(thing):
            assert of_signature(thing) == parameters(node), method


def test_everything_public_has_a_docstring() -> None:
    for name in anyplace.__all__:
        thing = getattr(anyplace, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing) and not issubclass(thing, BaseException):
            for member, value in vars(thing).items():
                if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{member}"


def test_the_examples_in_docstrings_run() -> None:
    import doctest

    for thing in (anyplace, anyplace.open, anyplace.wrap, anyplace.Context, anyplace.Place.submit):
        finder = doctest.DocTestFinder(recurse=False)
        for example in finder.find(thing, "anyplace", module=False, globs={}):
            result = doctest.DocTestRunner().run(example)
            assert result.failed == 0
