"""joblib's own test_parallel, with our backend in the place of its process backends.

It is joblib's file, read again with one list changed; workers import it by this name.
"""

from pathlib import Path

import joblib.test

_REGISTER = "import anyplace; anyplace.register_joblib()"
exec(_REGISTER)

_PATH = Path(joblib.test.__file__).with_name("test_parallel.py")
_THEIRS = 'PROCESS_BACKENDS = ["multiprocessing", "loky"]'
_source = _PATH.read_text()
assert _source.count(_THEIRS) == 1, "joblib's tests name their backends in another way now"
exec(compile(_source.replace(_THEIRS, 'PROCESS_BACKENDS = ["anyplace"]'), _PATH, "exec"))

# Scripts that the tests run know our backend, too.
for _name in ("UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_NO_MAIN", "UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_MAIN"):
    globals()[_name] = f"{_REGISTER}\n{globals()[_name]}"
