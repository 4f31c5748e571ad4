"""XML of strangers: entities and document types are refused whatever the encoding; what only mentions them is read."""

from __future__ import annotations

import pytest

from rsflow.files.xml_document import XmlError, parse_xml

BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OTHERS = [
    BOMB,
    '<?xml version="1.0"?>' + BOMB,
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x.org/p.dtd">%p;]><a/>',
    "<!DOCTYPE a><a/>",
]


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_declarations_are_refused(text: str, encoding: str) -> None:
    with pytest.raises(XmlError) as error:
        parse_xml(text.replace('<?xml version="1.0"?>', "").encode(encoding))
    assert error.value.is_unsafe


@pytest.mark.parametrize(
    "data", [b"", b"<a>", b"\0\1", b'<?xml version="1.0" encoding="x-none"?><a/>', b"<a>&undefined;</a>", "<a"]
)
def test_what_is_no_xml_is_told(data: bytes | str) -> None:
    with pytest.raises(XmlError) as error:
        parse_xml(data)
    assert not error.value.is_unsafe


def test_what_mentions_a_declaration_is_read() -> None:
    assert parse_xml("<a><!-- <!DOCTYPE b> --><![CDATA[<!ENTITY c>]]>&amp;&#65;</a>").text == "<!ENTITY c>&A"
