"""The forms of a page as a browser reads them: where they go, and what they would send."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """`named`: every name that it may send; `sent`: what it sends as it stands, without its buttons."""

    method: str
    action: str
    named: set[str] = field(default_factory=set)
    sent: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.form: Form | None = None
        self.select = self.area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        name, value = has.get("name", ""), has.get("value", "")
        if tag == "form":
            self.form = Form(has.get("method", "get").lower(), has.get("action", ""))
            self.found.append(self.form)
        if self.form is None or (tag not in ("option",) and not name):
            return
        if tag in ("input", "select", "textarea", "button"):
            self.form.named.add(name)
        if tag == "button" or has.get("type") == "submit":
            self.form.buttons.append((name, value))
        elif tag == "input" and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self.form.sent.setdefault(name, []).append(value or ("on" if has.get("type") == "checkbox" else ""))
        elif tag == "textarea":
            self.area = name
            self.form.sent[name] = [""]
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in has or self.select not in self.form.sent):
            self.form.sent[self.select] = [value]

    def handle_data(self, data: str) -> None:
        if self.area and self.form is not None:
            self.form.sent[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


def forms_of(html: str) -> list[Form]:
    """Those that change something."""
    return [one for one in Forms(html).found if one.method == "post"]
