"""The API of group ``costpolicy.dev``: its kinds as pydantic models, their rules, conditions and CRDs.

Every rule is declared once, beside the model that it constrains, as a CEL expression for the API server
together with the Python that says the same; the custom resource definitions are generated from the models.
"""

from typing import Final

GROUP: Final = "costpolicy.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
