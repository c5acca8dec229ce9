"""Write the expected file of every golden case anew: ``make golden``."""

from golden.rendering import cases

for case in cases():
    text = case.rendered()
    if not case.expected.exists() or case.expected.read_text() != text:
        case.expected.write_text(text)
        print(f"rewrote {case.expected.relative_to(case.folder.parent.parent)}")
