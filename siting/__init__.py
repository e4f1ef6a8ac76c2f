"""What moving cargo costs and where to build: from a study to a plan in three calls, or a session of questions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from siting.model.model import build_model as build_model
    from siting.plan import make_plan as make_plan
    from siting.session import Session as Session
    from siting.study import load_study as load_study

__all__ = ["Session", "build_model", "load_study", "make_plan"]

_HOME = {
    "Session": "siting.session",
    "build_model": "siting.model.model",
    "load_study": "siting.study",
    "make_plan": "siting.plan",
}


def __getattr__(name: str) -> Any:
    """Load a name of the face where it is first used, so that importing the package stays cheap."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
