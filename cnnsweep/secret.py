"""Passwords in URLs: never in a file or a line of ours."""

import re

_MASK = "***"
_USERINFO = re.compile(r"(://[^\s:/@'\"]*):[^\s'\"]*@")
_QUERY = re.compile(r"([?&](?:password|sslpassword)=)[^\s&'\"]*", re.IGNORECASE)


def masked(text: str) -> str:
    """``text`` with the passwords of all URLs in it replaced: ``://user:***@host``."""
    return _QUERY.sub(rf"\1{_MASK}", _USERINFO.sub(rf"\1:{_MASK}@", text))
