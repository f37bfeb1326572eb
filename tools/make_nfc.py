#!/usr/bin/env python3
"""Writes core/Text/nfc.txt: what Unicode's canonical composition (NFC) needs, from Python's own Unicode data.

Why: .NET without ICU (InvariantGlobalization, as in slim containers) leaves strings as they are in string.Normalize().
Lines: "c CODE CLASS" combining class; "d CODE PARTS…" canonical decomposition, one step; "p FIRST SECOND CODE" primary composite. Hex, without U+.
"""
import sys, unicodedata as u
out = [f"# Unicode {u.unidata_version}, made by tools/make_nfc.py"]
for i in range(sys.maxunicode + 1):
    c = chr(i)
    if 0xD800 <= i < 0xE000 or 0xAC00 <= i < 0xD7A4: continue      # surrogates; Hangul syllables are arithmetic
    if u.combining(c): out.append(f"c {i:X} {u.combining(c)}")
    d = u.decomposition(c)
    if d and not d.startswith("<"):
        out.append("d " + f"{i:X} " + d)
        parts = [chr(int(x, 16)) for x in d.split()]
        if len(parts) == 2 and u.normalize("NFC", "".join(parts)) == c: out.append("p " + d + f" {i:X}")
open("core/Text/nfc.txt", "w").write("\n".join(out) + "\n")
