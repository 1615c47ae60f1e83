"""Pictures from files, made fit to stand inside a page: nothing runs, nothing is fetched, no id meets another."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from seqdl.errors import FormatError

NOT_TAKEN = frozenset({"script", "foreignObject", "metadata", "iframe", "image", "animate", "set", "a", "link"})
"""Elements of SVG that can run, fetch, or only add weight."""
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^'\")]+)['\"]?\s*\)")
_FETCH = re.compile(r"url\((?!\s*['\"]?\s*#)[^)]*\)|@import[^;]*;?", flags=re.IGNORECASE)


def inline_svg(markup: str, *, prefix: str, label: str, source: str = "") -> str:
    """Return the markup of one SVG file as an element for a page.

    Parameters
    ----------
    markup : str
        The text of the file.
    prefix : str
        Put before every id, so that several pictures can share a page.
    label : str
        What the picture shows, for those who cannot see it.
    source : str, optional
        Name of the file, for messages.

    Returns
    -------
    str
        One `<svg>` element without prolog, scripts, event handlers or references to anything outside itself.

    Raises
    ------
    FormatError
        If the text is not SVG.

    Examples
    --------
    >>> inline_svg('<svg xmlns="http://www.w3.org/2000/svg" onload="go()"><g id="a"/></svg>', prefix="m1-", label="logo of m1")
    '<svg role="img" aria-label="logo of m1"><g id="m1-a" /></svg>'
    """
    where = source or "the picture"
    try:
        root = ElementTree.fromstring(markup)
    except ElementTree.ParseError as error:
        raise FormatError(f"{where} is not SVG ({error}). Expected a picture that `seqdl motifs` wrote; run it again.") from error
    if _local(root.tag) != "svg":
        raise FormatError(f"{where} begins with <{_local(root.tag)}>. Expected <svg>; run `seqdl motifs` again.")
    _clean(root, prefix)
    attributes = {key: value for key, value in root.attrib.items() if key not in {"role", "aria-label"}}
    root.attrib.clear()
    root.attrib.update({"role": "img", "aria-label": label, **attributes})
    root.tail = None
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, prefix: str) -> None:
    """Drop what an inline picture may not hold, and give every id its prefix."""
    element.tag = _local(element.tag)
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child.tag) in NOT_TAKEN:
            element.remove(child)
        else:
            _clean(child, prefix)
    if element.tag == "style":
        element.text = _inside(element.text or "", prefix)
    kept = {}
    for key, value in element.attrib.items():
        name = _local(key)
        if name.lower().startswith("on") or (name == "href" and not value.startswith("#")):
            continue
        if name == "id":
            value = prefix + value
        elif name == "href":
            value = "#" + prefix + value[1:]
        elif name in {"aria-labelledby", "aria-describedby"}:
            continue
        kept[name] = _inside(value, prefix)
    element.attrib.clear()
    element.attrib.update(kept)
    if element.tail is not None and not element.tail.strip():
        element.tail = None


def _inside(value: str, prefix: str) -> str:
    return _REFERENCE.sub(rf"url(#{prefix}\1)", _FETCH.sub("none", value))


def _local(name: str) -> str:
    return name.rpartition("}")[2]
