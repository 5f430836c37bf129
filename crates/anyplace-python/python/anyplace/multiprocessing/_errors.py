"""The exceptions that `multiprocessing.pool` raises."""

from __future__ import annotations

from multiprocessing import pool
from typing import Any, NoReturn

import anyplace

_library: Any = pool

MaybeEncodingError: type[Exception] = _library.MaybeEncodingError
RemoteTraceback: type[Exception] = _library.RemoteTraceback


def raise_as_of_pool(error: Exception) -> NoReturn:
    """Raise the exception as `multiprocessing.pool` does."""
    if isinstance(error, anyplace.NotSerializable) and error.retry == "may repeat":
        # The work was done, so it is the result that cannot travel.
        raise MaybeEncodingError(error, "the result") from error
    text = getattr(error.__cause__, "tb", None)
    raise error from (error.__cause__ if text is None else RemoteTraceback(text))
