"""The page of errors is what the measurements and the model make of it now.

Not covered: whether the errors are small (tests/unit/perf/test_fit.py, test_accuracy.py).
"""

from accuracy.page import PAGE, page


def test_the_page_of_errors_is_up_to_date():
    assert page() == PAGE.read_text()
