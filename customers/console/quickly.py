"""How Jinja2 compiles our templates: a language each, what is included in its place, and nothing looked up twice."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.meta import find_undeclared_variables
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escape_inner  # type: ignore[attr-defined]


def escaped(value: object) -> str:
    """What `markupsafe.escape` says, without making each of 1,500 texts of a page an object that knows it is safe."""
    kind = type(value)
    if kind is str:
        return escape_inner(value)  # type: ignore[arg-type]
    return value if kind in (SafeString, Markup) else escape(value)  # type: ignore[return-value]


class Quick(Template):
    """Compiled code calls `escape` for all that it prints, and what comes of it is joined at once."""

    @classmethod
    def from_code(cls, *args: Any, **kwargs: Any) -> Template:
        found = super().from_code(*args, **kwargs)
        found.root_render_func.__globals__.update(escape=escaped, escape_inner=escape_inner)
        return found


class Translated(NodeTransformer):
    """`_("…")` becomes what it says in the language that is active."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=text)]):
                return nodes.Const(gettext(text), lineno=node.lineno)
        return self.generic_visit(node)


class Whole(NodeTransformer):
    """What a template includes stands in it: made at once, with the names of the template around it."""

    def __init__(self, within: "Quickly") -> None:
        self.within = within

    def visit_Include(self, node: nodes.Include) -> Any:
        match node.template:
            case nodes.Const(value=str(name)) if self.within.loader is not None:
                source, filename, _ = self.within.loader.get_source(self.within, name)
                return self.within._parse(source, name, filename).body
        return node


class Direct(CodeGenerator):
    """What is at hand is taken at once, not by functions that try several ways.

    A dictionary is asked for its key and an object for its attribute; what is called wants nothing of the template.
    """

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self.visit(node.node, frame)
        self.write("(")
        for arg in (*node.args, *node.kwargs):
            self.visit(arg, frame)
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        """Most of what is printed is plain text, which is escaped without asking what it is."""
        self.printed = self.temporary_identifier()
        self.write(f"(escape_inner({self.printed}) if ({self.printed} := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write(f").__class__ is str else escape({self.printed}))")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        held = self.temporary_identifier()
        self.write(f"({held}[{node.attr!r}] if ({held} := ")
        self.visit(node.node, frame)
        self.write(f").__class__ is dict else {held}.{node.attr})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        self.visit(node.node, frame)
        self.write("[")
        self.visit(node.arg, frame)
        self.write("]")


class Quickly(Environment):
    template_class = Quick
    code_generator_class = Direct
    language = settings.LANGUAGE_CODE

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        found = super()._parse(source, name, filename)
        with translation.override(self.language):
            Translated().visit(found)
        Whole(self).visit(found)
        return found

    def _generate(self, source: nodes.Template, *rest: Any, **options: Any) -> str:
        """What is given is looked up once, not again for each line that says it."""
        ours = self.globals.keys() & {one.name for one in source.find_all(nodes.Name)}
        given = [nodes.Name(name, "load") for name in sorted(find_undeclared_variables(source) | ours)]
        source.body.insert(0, nodes.ExprStmt(nodes.Tuple(given, "load")))
        source.set_environment(self)
        return super()._generate(source, *rest, **options)

    @lru_cache(maxsize=8)  # noqa: B019 - there is one, as long as the process
    def speaking(self, language: str | None) -> "Quickly":
        """With the words of a language."""
        found: Quickly = self.overlay()
        found.language = language or settings.LANGUAGE_CODE
        return found
