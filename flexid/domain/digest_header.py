"""The header fields of Digest: `WWW-Authenticate` written, `Authorization` read (RFC 7616 sections 3.3 and 3.4)."""

from __future__ import annotations

import re

from attrs import frozen

MAX_LENGTH = 8_192
MAX_PARAMETERS = 32

_SCHEME = re.compile(r"\s*digest\s+", re.IGNORECASE)
_PARAMETER = re.compile(r'([A-Za-z0-9_*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,[\s,]*|\Z)')
_QUOTED_PAIR = re.compile(r"\\(.)")
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_TO_BE_QUOTED = re.compile(r'(["\\])')


@frozen
class DigestAnswer:
    """What a client answers to a challenge, as it wrote it; empty where it left something out."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    opaque: str
    qop: str
    nc: str
    cnonce: str

    @property
    def nonce_count(self) -> int:
        """`nc` as a number; meant for answers that were judged."""
        return int(self.nc, 16)


def parse_authorization(header: str) -> DigestAnswer | None:
    """Return the answer in an `Authorization` header, or None where there is no Digest answer or no clear one.

    Parameters may be quoted or not, whatever the RFC says of each, since clients differ; one that is given twice makes
    the header unclear. Without an algorithm it is MD5.
    """
    parameters = _parameters(header)
    if parameters is None or not all(parameters.get(name) for name in ("username", "nonce", "uri", "response")):
        return None
    return DigestAnswer(
        username=parameters["username"],
        realm=parameters.get("realm", ""),
        nonce=parameters["nonce"],
        uri=parameters["uri"],
        response=parameters["response"],
        algorithm=parameters.get("algorithm", "MD5").upper(),
        opaque=parameters.get("opaque", ""),
        qop=parameters.get("qop", ""),
        nc=parameters.get("nc", ""),
        cnonce=parameters.get("cnonce", ""),
    )


def challenge_header(realm: str, algorithm: str, nonce: str, opaque: str, *, stale: bool = False) -> str:
    """Return a `WWW-Authenticate` header; Linphone reads `qop` only in quotes."""
    realm = _TO_BE_QUOTED.sub(r"\\\1", _UNSPEAKABLE.sub("", realm))
    challenge = f'Digest realm="{realm}",qop="auth",algorithm={algorithm},nonce="{nonce}",opaque="{opaque}"'
    return f"{challenge},stale=true" if stale else challenge


def _parameters(header: str) -> dict[str, str] | None:
    """Return the parameters by their names in lower case, None if the header is not of the form."""
    scheme = _SCHEME.match(header)
    if scheme is None or len(header) > MAX_LENGTH or _UNSPEAKABLE.search(header):
        return None
    parameters: dict[str, str] = {}
    position = scheme.end()
    while position < len(header):
        match = _PARAMETER.match(header, position)
        if match is None or len(parameters) == MAX_PARAMETERS:
            return None
        name, quoted, bare = match[1].lower(), match[2], match[3]
        if name in parameters:
            return None
        parameters[name] = bare if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
        position = match.end()
    return parameters
