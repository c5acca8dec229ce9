"""The chart's Grafana dashboards: the fleet, one policy, and what was saved.

Expressions name series by the constants that export and record them, so that a dashboard cannot ask for one that is not there.
"""

from dashboard_fleet import fleet
from dashboard_policy import policy
from dashboard_savings import savings
from grafana_foundation_sdk.cog.encoder import JSONEncoder


def files() -> dict[str, str]:
    """Return each dashboard's JSON by the path of its file."""
    made = {"fleet": fleet(), "policy": policy(), "savings": savings()}
    encoder = JSONEncoder(sort_keys=True, indent=2)
    folder = "charts/costpolicy-operator/files/dashboards"
    return {f"{folder}/{name}.json": encoder.encode(one.build()) + "\n" for name, one in made.items()}
