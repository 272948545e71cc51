"""Strings that break whatever does not escape them."""

NASTY = (
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "<!--", "]]>",
    "{{ 7 * 7 }}", "{% raw %}", "javascript:alert(1)", "'\"><svg/onload=alert(1)>",
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")",
    "\\input{/etc/passwd}", "\\write18{ls}", "$x_1^2$", "%comment", "a & b # c ~ d",
    "| a | b |", "[x](http://evil)", "![](http://evil/x.png)", "`code`", "www.evil.com", "@someone",
    "http://evil.example/x", "a\nb", "a\r\nb", "\x1b[31mred\x1b[0m", "\x00", "\u202egnp.exe",
    "\u2028", "é ü 漢字 🙂", "%s %d {0}", "../../../etc/passwd", "null", "1e5", "0x1f", "NaN", "",
    " ", "-", "# heading", "yes", "[bold red]rich[/]", "%{x:.3f}", "<b>bold</b>", "&lt;b&gt;",
)  # fmt: skip
