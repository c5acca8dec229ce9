"""The user's pod settings as the client's models: the API has them in the shape of Kubernetes' own
core/v1."""

from typing import TypeVar

from pydantic import BaseModel

from costpolicy.api.model import ApiModel

M = TypeVar("M", bound=BaseModel)


def typed(model: type[M], setting: ApiModel) -> M:
    """Return a setting as a model of the client; what the user left out stays out.

    Raises:
        pydantic.ValidationError: the API allows what Kubernetes' model does not (a defect of the API).
    """
    document = setting.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return model.model_validate(document)
