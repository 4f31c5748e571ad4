"""XML that others wrote, parsed without document types and entities (https://github.com/tiran/defusedxml).

No annotation, product or mosaic needs them, and they are how XML reads other files or fills memory.
"""

from __future__ import annotations

from typing import cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring


class XmlError(ValueError):
    """The data is no XML, or `is_unsafe`: it declares a document type or entities."""

    def __init__(self, detail: str, is_unsafe: bool = False) -> None:
        super().__init__(detail)
        self.is_unsafe = is_unsafe


def parse_xml(data: bytes | str) -> Element:
    """The root element. XmlError where there is none, or where the XML declares a document type or entities."""
    try:
        return cast(Element, fromstring(data, forbid_dtd=True))
    except DefusedXmlException as error:
        raise XmlError("the XML declares a document type or entities, which are not read: remove them", True) from error
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise XmlError(f"is not XML: {error}") from error
