"""Write the expected file of every golden case anew: ``make golden``."""

from golden.calibration import calibration_cases
from golden.planning import plan_cases
from golden.rendering import cases
from golden.routing import router_cases

for case in (*cases(), *plan_cases(), *calibration_cases(), *router_cases()):
    text = case.rendered()
    if not case.expected.exists() or case.expected.read_text() != text:
        case.expected.write_text(text)
        print(f"rewrote {case.expected}")
